import type { ImpersonationMode } from '../generated/prisma/enums.ts';
import type { Endpoint } from '../routes/endpoint.ts';

/** Ends the impersonation itself: always possible. */
const WAY_OUT = 'logout';

/** Data leaves, or comes in, by the file. */
const bulk = /\.(export|import)$/;

/**
 * Whether somebody who acts in another's name may not use an endpoint (rule 9): one that writes, unless that was asked
 * for; the account itself with its credentials; what needs a step-up; money; exports.
 */
export function impersonationBars(endpoint: Endpoint, mode: ImpersonationMode): boolean {
  if (endpoint.operationId === WAY_OUT) return false;
  const { access, method } = endpoint;
  if (typeof access === 'object' && 'permission' in access && bulk.test(access.permission)) return true;
  if (method === 'get') return false;
  const isOwnAccount = access === 'authenticated';
  return mode === 'READ_ONLY' || isOwnAccount || endpoint.stepUp === true || endpoint.idempotency === 'required';
}
