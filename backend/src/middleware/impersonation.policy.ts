import type { ImpersonationMode } from '../generated/prisma/enums.ts';
import type { Endpoint } from '../routes/endpoint.ts';

/** Ends the impersonation itself: always possible. */
const WAY_OUT = 'logout';

/** What only the person themselves can say: whether others may act in their people's name. */
const PERSONAL = new Set(['setSupportAccess']);

/** Data leaves, or comes in, by the file. */
const bulk = /\.(export|import)$/;
/** What does so with another permission. */
const FILES = new Set(['getPersonExport', 'downloadPersonExport']);

/** Whoever pays, and with what, is the business of the payer alone. */
const paying = (access: Endpoint['access']): boolean =>
  typeof access === 'object' && 'permission' in access && access.permission === 'revenue.pay';

/**
 * Whether somebody who acts in another's name may not use an endpoint (rule 9): one that writes, unless that was asked
 * for; the account itself with its credentials; what needs a step-up; money; exports.
 */
export function impersonationBars(endpoint: Endpoint, mode: ImpersonationMode): boolean {
  if (endpoint.operationId === WAY_OUT) return false;
  const { access, method } = endpoint;
  if (endpoint.stepUp || PERSONAL.has(endpoint.operationId)) return true;
  if (FILES.has(endpoint.operationId)) return true;
  if (typeof access === 'object' && 'permission' in access && bulk.test(access.permission)) return true;
  if (method === 'get') return false;
  const isOwnAccount = access === 'authenticated';
  return mode === 'READ_ONLY' || isOwnAccount || paying(access) || endpoint.idempotency === 'required';
}
