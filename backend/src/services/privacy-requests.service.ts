import type { z } from 'zod';
import type { PrivacyRequestStatus, PrivacyRequestType } from '../generated/prisma/enums.ts';
import type { Actor, ManualContext, ReadContext, WriteContext } from '../types/context.ts';
import { AppError, assertVersion, invalidField, orNotFound } from '../utils/errors.ts';
import type { FileAnswer } from '../utils/file-answer.ts';
import { page } from '../utils/page.ts';
import type {
  createPrivacyRequestBody,
  privacyRequest,
  updatePrivacyRequestBody,
} from '../validators/tenant-privacy.validator.ts';
import { downloadDataExport, getDataExport, type DataExportView } from './data-exports.service.ts';
import { erasePerson } from './person-erasure.service.ts';
import * as queries from './privacy-requests.queries.ts';
import { actingPerson } from './privilege.policy.ts';
import { settingOf } from './settings.service.ts';
import { createPersonExport } from './tenant-exports.service.ts';
import { tenantExists } from './tenants.queries.ts';

// Requests of people about their personal data (Digital Personal Data Protection Act 2023): to see what is known of
// them, to have it corrected or removed. Somebody of the library notes them down and answers in time.

const DAY_MS = 86_400_000;
const FILE = { name: 'person', permission: 'tenants.privacy', action: 'tenants.export_download' } as const;

type View = z.input<typeof privacyRequest>;
type Locked = {
  id: string;
  type: PrivacyRequestType;
  status: PrivacyRequestStatus;
  subjectId: string;
  version: number;
};
type Change = z.output<typeof updatePrivacyRequestBody>;
type Of = { tenantId: string; requestId: string };

/** From where a request may go where. An answer is final: who asks again makes a new request. */
const MOVES: Readonly<Record<PrivacyRequestStatus, readonly PrivacyRequestStatus[]>> = {
  OPEN: ['IN_PROGRESS', 'COMPLETED', 'REJECTED'],
  IN_PROGRESS: ['COMPLETED', 'REJECTED'],
  COMPLETED: [],
  REJECTED: [],
};

export const listPrivacyRequests = (ctx: ReadContext, tenantId: string, filter: queries.PrivacyFilter) =>
  page<View>(ctx, filter, {
    ...queries.privacyRequestRows(tenantId, filter, ctx.now),
    parent: { of: tenantExists(tenantId), what: 'tenant' },
  });

const readRequest = async (ctx: Pick<ReadContext, 'sql' | 'now'>, { tenantId, requestId }: Of): Promise<View> =>
  orNotFound(await ctx.sql.one<View>(queries.privacyRequestById(tenantId, requestId, ctx.now)), 'privacy request');

/**
 * Notes a request down. It is to be answered within the days of the setting privacy.response_days.
 * @throws AppError not_found for a tenant outside the scope; validation_failed for somebody who is not of the library;
 *   conflict while the same is asked for already
 */
export async function createPrivacyRequest(
  ctx: WriteContext<Actor>,
  tenantId: string,
  { type, subjectId, details }: z.output<typeof createPrivacyRequestBody>,
): Promise<View> {
  orNotFound(await ctx.sql.one(tenantExists(tenantId)), 'tenant');
  const subject = await ctx.sql.one<{ id: string; name: string }>(queries.lockedSubject(tenantId, subjectId));
  if (!subject) throw invalidField('subjectId', 'must be somebody of this library whose data is not erased');
  const open = await ctx.sql.one<{ id: string }>(queries.openRequestOf(tenantId, subjectId, type));
  if (open) {
    throw new AppError('conflict', 'They have asked for this already. Work on that request.', { requestId: open.id });
  }
  const days = await settingOf(ctx, 'privacy.response_days');
  const { id } = await ctx.db.privacyRequest.create({
    data: {
      tenantId,
      type,
      subjectId,
      details,
      subjectName: subject.name,
      dueAt: new Date(ctx.now.getTime() + days * DAY_MS),
      requestedById: actingPerson(ctx.actor),
      requestedByName: ctx.actor.name,
      createdAt: ctx.now,
    },
  });
  ctx.audit({ resource: 'privacy_request', resourceId: id, tenantId, details: { type, subjectId } });
  return readRequest(ctx, { tenantId, requestId: id });
}

/**
 * Works on a request. Completing one does what was asked for, in the same transaction: an erasure removes the person's
 * data, an access request has the file made whose id is then in the request.
 * @throws AppError not_found, version_mismatch, invalid_transition, validation_failed; for an erasure what
 *   `erasePerson` throws
 */
export async function updatePrivacyRequest(
  ctx: WriteContext<Actor>,
  of: Of,
  { status, resolution }: Change,
  seenVersion?: number,
): Promise<View> {
  const { tenantId, requestId } = of;
  const request = orNotFound(
    await ctx.sql.one<Locked>(queries.lockedPrivacyRequest(tenantId, requestId)),
    'privacy request',
  );
  assertVersion(seenVersion, request.version, 'privacy request');
  assertMove(request.status, status);
  assertAnswered(request.type, { status, resolution });
  const done = status === 'COMPLETED' ? await complete(ctx, tenantId, request) : {};
  const answered = status !== 'IN_PROGRESS';
  const told = [resolution, done.told].filter(Boolean).join('\n\n');
  await ctx.db.privacyRequest.update({
    where: { id: requestId },
    data: {
      status,
      ...(told && { resolution: told }),
      ...(done.exportId && { exportId: done.exportId }),
      handledById: actingPerson(ctx.actor),
      handledByName: ctx.actor.name,
      version: { increment: 1 },
      ...(answered && { resolvedAt: ctx.now }),
    },
  });
  ctx.audit({
    resource: 'privacy_request',
    resourceId: requestId,
    tenantId,
    before: { status: request.status },
    after: { status },
    details: { type: request.type, subjectId: request.subjectId, ...(done.exportId && { exportId: done.exportId }) },
  });
  return readRequest(ctx, of);
}

function assertMove(from: PrivacyRequestStatus, to: PrivacyRequestStatus): void {
  const allowed = MOVES[from];
  if (allowed.includes(to)) return;
  const choice = allowed.length > 0 ? `it can become ${allowed.join(', ')}` : 'it is answered. Note down a new one';
  throw new AppError('invalid_transition', `The request is ${from} and cannot become ${to}: ${choice}.`, {
    from,
    to,
    allowed,
  });
}

/** Whoever asked is owed a reason, and the word that it was corrected. */
function assertAnswered(type: PrivacyRequestType, { status, resolution }: Change): void {
  const isNeeded = status === 'REJECTED' || (status === 'COMPLETED' && type === 'CORRECTION');
  if (isNeeded && !resolution) throw invalidField('resolution', 'must say what was done, or why not');
}

async function complete(
  ctx: WriteContext<Actor>,
  tenantId: string,
  { id, type, subjectId }: Locked,
): Promise<{ told?: string; exportId?: string }> {
  if (type === 'ERASURE') return { told: await erasePerson(ctx, { tenantId, userId: subjectId, requestId: id }) };
  if (type === 'CORRECTION') return {};
  const subject = await ctx.sql.one(queries.lockedSubject(tenantId, subjectId));
  if (!subject)
    throw new AppError('conflict', 'Their data was erased: nothing is left to hand out. Reject the request.');
  const { id: exportId } = await createPersonExport(ctx, { tenantId, userId: subjectId });
  return { exportId };
}

/** The file of an access request: how far it is. @throws AppError not_found */
export async function getPersonExport(ctx: ReadContext<Actor>, of: Of): Promise<DataExportView> {
  return getDataExport(ctx, await placeOf(ctx, of), FILE);
}

/** @throws AppError not_found for one that is not ready, or no longer there */
export async function downloadPersonExport(ctx: ManualContext<Actor>, of: Of): Promise<FileAnswer> {
  return downloadDataExport(ctx, await placeOf(ctx, of), FILE);
}

async function placeOf(ctx: Pick<ReadContext, 'sql' | 'now'>, of: Of) {
  const { exportId } = await readRequest(ctx, of);
  return { id: orNotFound(exportId, 'export'), subject: 'PERSON', tenantId: of.tenantId } as const;
}
