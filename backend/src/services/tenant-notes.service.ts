import type { z } from 'zod';
import type { Actor, ReadContext, WriteContext } from '../types/context.ts';
import { afterCursor, cursorPage, cursorTime } from '../utils/cursor-page.ts';
import { orNotFound } from '../utils/errors.ts';
import { sql, where, type Sql } from '../utils/sql.ts';
import type { createNoteBody, listNotesQuery, note } from '../validators/tenant-notes.validator.ts';
import { tenantExists } from './tenants.queries.ts';

type Note = z.input<typeof note> & { createdAt: string };

const noteRows = (tenantId: string, { cursor }: z.output<typeof listNotesQuery>): { rows: Sql; count: Sql } => ({
  rows: sql`
    select id, text, jsonb_build_object('id', author_id, 'name', author_name) as author,
           ${cursorTime(sql`created_at`)} as "createdAt"
      from tenant_notes ${where(sql`tenant_id = ${tenantId}`, afterCursor(sql`created_at, id`, cursor))}
     order by created_at desc, id desc`,
  count: sql`select count(*)::int as total from tenant_notes where tenant_id = ${tenantId}`,
});

/** What the company's own people noted down about a tenant, newest first. @throws AppError not_found */
export const listNotes = (ctx: ReadContext, tenantId: string, query: z.output<typeof listNotesQuery>) =>
  cursorPage<Note>(ctx, query, {
    ...noteRows(tenantId, query),
    parent: { of: tenantExists(tenantId), what: 'tenant' },
  });

/** @throws AppError not_found */
export async function createNote(
  ctx: WriteContext<Actor>,
  tenantId: string,
  { text }: z.output<typeof createNoteBody>,
): Promise<z.input<typeof note>> {
  orNotFound(await ctx.sql.one(tenantExists(tenantId)), 'tenant');
  const { actor } = ctx;
  const { id, createdAt } = await ctx.db.tenantNote.create({
    data: { tenantId, text, authorId: actor.id, authorName: actor.name, createdAt: ctx.now },
    select: { id: true, createdAt: true },
  });
  // The trail of a tenant leaves with its data: what was noted down stays out of it.
  ctx.audit({ resource: 'tenant_note', resourceId: id, tenantId, details: { length: text.length } });
  return { id, text, author: { id: actor.id, name: actor.name }, createdAt };
}
