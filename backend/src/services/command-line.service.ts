import { logger } from '../config/logger.ts';
import { newId } from '../utils/ids.ts';
import type { ContextBase } from './context.service.ts';

/** Somebody at the command line: no request, nobody signed in. */
export const commandLine = (): ContextBase<null> => ({
  actor: null,
  system: true,
  scope: { role: 'portal' },
  tenantId: null,
  requestId: newId(),
  client: { ip: '', userAgent: 'command line' },
  cookies: { get: () => undefined, set: () => {}, clear: () => {} },
  log: logger,
  now: new Date(),
});
