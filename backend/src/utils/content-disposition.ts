import { create } from 'content-disposition';

/**
 * The header that says how a file is called when it is saved (RFC 6266): a name in any script, and a plain one for
 * programs that know only those.
 */
export const contentDisposition = (name: string, type: 'attachment' | 'inline' = 'attachment'): string =>
  /^[\w.-]+$/.test(name) ? `${type}; filename="${name}"` : create(name.toWellFormed(), { type, fallback: plain(name) });

const plain = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\w .()-]+/g, '_');
