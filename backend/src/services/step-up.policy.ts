import type { Actor } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';

/**
 * Only for somebody who has just proved who they are.
 * @throws AppError step_up_required; forbidden for an API key, which cannot
 */
export function assertSteppedUp(actor: Actor): void {
  if (actor.kind === 'apiKey') {
    throw new AppError('forbidden', 'This needs a person who proves who they are: an API key cannot do it.');
  }
  if (!actor.elevatedUntil || actor.elevatedUntil.getTime() <= Date.now()) {
    throw new AppError(
      'step_up_required',
      'Prove again that it is you (POST /api/auth/step-up), then repeat this within ten minutes.',
    );
  }
}
