import type { ImportStatus } from '../generated/prisma/enums.ts';
import { AppError } from '../utils/errors.ts';

/** What can be done with an import, and in which states. */
export type ImportAct = 'commit' | 'cancel' | 'undo';

type Facts = { status: ImportStatus; validatedAt: Date | null; validRows: number; createdRows: number; undone: number };

/** What a broken-off commit has not created yet can be had by another. */
const canCommit = ({ status, validatedAt, validRows, createdRows }: Facts): boolean =>
  status === 'VALIDATED' || (status === 'FAILED' && validatedAt !== null && validRows > createdRows);

const canUndo = ({ status, createdRows, undone }: Facts): boolean =>
  ['COMPLETED', 'CANCELLED', 'FAILED'].includes(status) && createdRows > undone;

const canCancel = ({ status }: Facts): boolean => ['VALIDATING', 'VALIDATED', 'COMMITTING', 'UNDOING'].includes(status);

const acts: Record<ImportAct, { can: (facts: Facts) => boolean; told: string }> = {
  commit: { can: canCommit, told: 'Only one that is VALIDATED can be committed, and once.' },
  cancel: { can: canCancel, told: 'Only one that is running or waits for its commit can be cancelled.' },
  undo: { can: canUndo, told: 'Only one that is over and has created people who are not undone yet can be undone.' },
};

/** @throws AppError invalid_transition */
export function assertCan(act: ImportAct, facts: Facts): void {
  const { can, told } = acts[act];
  if (can(facts)) return;
  throw new AppError('invalid_transition', `The import is ${facts.status}. ${told}`, { from: facts.status });
}
