import type { Access } from '../routes/endpoint.ts';
import type { Actor } from '../types/context.ts';
import { AppError } from '../utils/errors.ts';

/**
 * Whether the person may call what is declared so. Permissions without `tenant` are for portal admins alone, even
 * if a role of platform users should hold them by mistake.
 * @throws AppError forbidden, naming what is missing
 */
export function authorize(access: Access, actor: Actor | null): void {
  if (access === 'public' || access === 'authenticated') return;
  if (!actor) throw new AppError('unauthenticated', 'Sign in first.');
  if ('role' in access) {
    if (actor.role !== access.role) throw new AppError('forbidden', `This needs the role ${access.role}.`);
    return;
  }
  if (actor.type === 'PLATFORM_USER' && !access.tenant) {
    throw new AppError('forbidden', 'This is for the staff of StudySpot only.');
  }
  if (!actor.permissions.has(access.permission)) {
    throw new AppError('forbidden', `This needs the permission ${access.permission}.`);
  }
}
