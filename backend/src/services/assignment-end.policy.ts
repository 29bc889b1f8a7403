import type { WriteContext } from '../types/context.ts';
import { invalidField } from '../utils/errors.ts';

/** What is given for a time ends later than now. @throws AppError validation_failed, naming the field */
export function assertFuture(ctx: Pick<WriteContext, 'now'>, end: Date | undefined, field: string): void {
  if (!end || end.getTime() > ctx.now.getTime()) return;
  const message = 'must lie in the future';
  throw invalidField(field, message, `${field} ${message}.`);
}
