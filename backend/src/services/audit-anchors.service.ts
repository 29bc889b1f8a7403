import type { JobContext } from '../queues/job-context.ts';
import { anchorAllChains } from './audit-anchors.queries.ts';

/**
 * Writes down where every chain ends, and a digest over all of it into the chain of the platform: from then on a chain
 * that vanishes together with its head is missed, and one that was written anew is not the one that was anchored.
 * Safe to repeat: a chain that did not grow keeps its anchor.
 */
export const anchorAuditTrail = (ctx: JobContext): Promise<{ chains: number; digest: string }> =>
  ctx.transact(async ({ sql, audit }) => {
    const taken = await sql.one<{ chains: number; digest: string | null }>(anchorAllChains());
    const anchored = { chains: taken?.chains ?? 0, digest: taken?.digest ?? '' };
    audit({ action: 'audit.anchor', resource: 'audit_chain', tenantId: null, details: anchored });
    return anchored;
  });
