import { AppError } from '../utils/errors.ts';
import { commandLine } from './command-line.service.ts';
import { runInTransaction } from './context.service.ts';

/**
 * Creates the first super admin, who sets a password by the link of a mail.
 * @throws AppError conflict when there is a super admin already, or the email is taken
 */
export async function createFirstAdmin({ email, name }: { email: string; name: string }): Promise<void> {
  await runInTransaction(commandLine(), { action: 'admins.create_first' }, async (ctx) => {
    // The role's row is locked: of two at once the second sees the first one's admin.
    await ctx.db.$queryRaw`select id from roles where code = 'super_admin' for update`;
    const role = await ctx.db.role.findUniqueOrThrow({ where: { code: 'super_admin' }, select: { id: true } });
    const holders = await ctx.db.roleAssignment.count({ where: { roleId: role.id, user: { status: 'ACTIVE' } } });
    if (holders > 0) throw new AppError('conflict', 'There is a super admin already: they can add others.');
    const user = await ctx.db.user.create({
      data: {
        email,
        name,
        type: 'ADMIN_USER',
        status: 'ACTIVE',
        createdAt: ctx.now,
        assignments: { create: { roleId: role.id } },
      },
    });
    ctx.enqueue('email.password-reset', { email });
    ctx.audit({ resource: 'admin', resourceId: user.id, after: { email, name, role: 'super_admin' } });
  });
}
