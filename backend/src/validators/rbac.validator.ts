import { z } from 'zod';
import { permissionCodes, type Permission } from '../config/permissions.ts';
import { PermissionRisk, UserStatus, UserType } from '../generated/prisma/enums.ts';
import { isoDate, moment, search, text } from '../utils/fields.ts';
import { id } from '../utils/ids.ts';
import { pageQuery } from '../utils/page.ts';

export const rbacId = z.strictObject({ id });

export const permissionCode = z
  .enum(permissionCodes as [Permission, ...Permission[]])
  .meta({ description: 'Code of a permission', example: 'tenants.read' });
const roleCode = z
  .string()
  .max(60)
  .regex(/^[a-z][a-z0-9_]{2,59}$/, 'must begin with a letter and have 3 to 60 of a-z, 0-9 and _')
  .meta({ description: 'Name for programs; never changes', example: 'night_support' });
/** A role as a caller names it. */
export const roleName = text(60, 3).meta({ description: 'Code or id of a role', example: 'support' });
const userType = z
  .enum(UserType)
  .meta({ description: 'Who can hold it: portal admins or people of a tenant', example: 'ADMIN_USER' });
const name = text(80, 2).meta({ description: 'Name for people', example: 'Night support' });
const description = text(300, 2).meta({ description: 'What it is for', example: 'Answers tickets between 22 and 6' });

/** Each code once. */
export const permissionList = z
  .array(permissionCode)
  .max(permissionCodes.length)
  .refine((codes) => new Set(codes).size === codes.length, 'must name each permission once')
  .meta({ description: 'Everything that the role grants', example: ['tenants.read', 'tenants.access'] });
export const future = moment.meta({ description: 'From then on it grants nothing', example: '2999-01-31' });

export const roleSortColumns = ['name', 'code', 'createdAt'] as const;
export const listRolesQuery = pageQuery(roleSortColumns).extend({
  order: z.enum(['asc', 'desc']).default('asc').meta({ description: 'Direction of the sort' }),
  userType: userType.optional(),
  builtIn: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .meta({ description: 'Those that come with the product, or those made here', example: 'false' }),
  q: search.optional().meta({ description: 'Part of name or code', example: 'support' }),
});

export const createRoleBody = z
  .strictObject({
    code: roleCode.optional().meta({ description: 'Default: made from the name' }),
    name,
    description,
    userType: userType.default('ADMIN_USER'),
    permissions: permissionList,
  })
  .meta({ id: 'CreateRole' });

export const updateRoleBody = z
  .strictObject({ name, description, permissions: permissionList })
  .partial()
  .refine((body) => Object.keys(body).length > 0, 'give at least one field to change')
  .meta({ id: 'UpdateRole' });

export const cloneRoleBody = z
  .strictObject({ code: roleCode.optional(), name, description: description.optional() })
  .meta({ id: 'CloneRole' });

export const deleteRoleQuery = z.strictObject({
  reassignTo: id.optional().meta({ description: 'Id of the role that its members get instead' }),
});

export const impactBody = z.strictObject({ permissions: permissionList }).meta({ id: 'RoleImpactRequest' });

export const memberSortColumns = ['createdAt', 'name'] as const;
export const listMembersQuery = pageQuery(memberSortColumns);

export const assignBody = z
  .strictObject({ userId: id, role: roleName, expiresAt: future.optional() })
  .meta({ id: 'AssignRole' });

export const simulateBody = z
  .strictObject({
    userId: id,
    permission: permissionCode,
    tenantId: id.optional().meta({ description: 'What x-tenant-id would name' }),
  })
  .meta({ id: 'Simulate' });

export const permission = z
  .object({
    code: z.string().meta({ example: 'tenants.read' }),
    group: z.string().meta({ description: 'Part of the product it belongs to', example: 'Tenants' }),
    risk: z.enum(PermissionRisk).meta({ description: 'What misuse could do', example: 'LOW' }),
    description: z.string().meta({ example: 'See tenants, their people and their status history' }),
    tenants: z.boolean().meta({ description: 'Whether people of a tenant can hold it', example: true }),
  })
  .meta({ id: 'Permission' });
export const permissions = z.array(permission);

const roleFields = z.object({
  id,
  code: z.string().meta({ example: 'support' }),
  name: z.string().meta({ example: 'Support' }),
  description: z.string().meta({ example: 'Helps tenants within their own space' }),
  userType,
  builtIn: z.boolean().meta({ description: 'Comes with the product and cannot be changed', example: false }),
});

export const role = roleFields
  .extend({
    permissions: z.array(z.string()).meta({ example: ['tenants.read', 'tenants.access'] }),
    members: z.number().int().meta({ description: 'Who holds it now; counted up to 10,000', example: 4 }),
    version: z.number().int().meta({ description: 'Send it back as If-Match when you change the role', example: 1 }),
    createdAt: isoDate,
    updatedAt: isoDate,
  })
  .meta({ id: 'Role' });

export const matrix = z
  .object({
    permissions: z.array(permission),
    roles: z.array(
      roleFields.extend({ permissions: z.array(z.string()).meta({ example: ['tenants.read', 'tenants.access'] }) }),
    ),
  })
  .meta({ id: 'AccessMatrix' });

const person = z.object({
  id,
  name: z.string().meta({ example: 'Asha Menon' }),
  email: z.string().nullable().meta({ example: 'asha.menon@studyspot.example' }),
});

export const member = z
  .object({
    assignmentId: id,
    user: person.extend({
      type: z.enum(UserType).meta({ example: 'ADMIN_USER' }),
      status: z.enum(UserStatus).meta({ example: 'ACTIVE' }),
      tenantId: z.string().nullable().meta({ description: 'Null for portal admins', example: null }),
    }),
    assignedById: z.string().nullable().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    expiresAt: isoDate.nullable(),
    createdAt: isoDate,
  })
  .meta({ id: 'RoleMember' });

export const impact = z
  .object({
    added: z.array(z.string()).meta({ description: 'The role would come to grant these', example: ['audit.read'] }),
    removed: z.array(z.string()).meta({ description: 'It would cease to grant these', example: [] }),
    members: z.number().int().meta({ description: 'Who holds the role now', example: 4 }),
    affected: z.number().int().meta({
      description: 'Of them, those who would gain or lose something, seen all their roles, grants and denials',
      example: 3,
    }),
    permissions: z
      .array(
        z.object({
          permission: z.string().meta({ example: 'audit.read' }),
          change: z.enum(['GAINED', 'LOST']).meta({ example: 'GAINED' }),
          people: z.number().int().meta({ example: 3 }),
        }),
      )
      .meta({ description: 'For each permission that changes, how many it concerns' }),
    people: z
      .array(
        person.extend({
          gains: z.array(z.string()).meta({ example: ['audit.read'] }),
          loses: z.array(z.string()).meta({ example: [] }),
        }),
      )
      .meta({ description: 'The first hundred of those affected, by name' }),
  })
  .meta({ id: 'RoleImpact' });

export const assignment = z
  .object({
    id,
    userId: id,
    roleId: id,
    role: z.string().meta({ example: 'support' }),
    expiresAt: isoDate.nullable(),
    createdAt: isoDate,
  })
  .meta({ id: 'RoleAssignment' });

const source = z
  .object({
    kind: z.enum(['role', 'grant', 'denial']).meta({ example: 'role' }),
    role: z.string().optional().meta({ description: 'Code, for a role', example: 'support' }),
    roleName: z.string().optional().meta({ example: 'Support' }),
    assignmentId: z.string().optional().meta({ example: 'cm3k8v1x40000qp2h9d7f5a6b' }),
    overrideId: z.string().optional().meta({ description: 'For a direct grant or denial' }),
    reason: z
      .string()
      .optional()
      .meta({ description: 'Of a direct grant or denial', example: 'Covers for Ravi in May' }),
    expiresAt: isoDate.nullable(),
  })
  .meta({ id: 'PermissionSource', example: { kind: 'role', role: 'support', roleName: 'Support', expiresAt: null } });
const sources = z.array(source).meta({ description: 'Where it comes from, or who withholds it' });

export const effective = z
  .object({
    user: person.extend({
      type: z.enum(UserType).meta({ example: 'ADMIN_USER' }),
      status: z.enum(UserStatus).meta({ example: 'ACTIVE' }),
      tenantId: z.string().nullable().meta({ example: null }),
    }),
    permissions: z.array(
      z.object({
        permission: z.string().meta({ example: 'tenants.read' }),
        granted: z.boolean().meta({ description: 'A denial beats every grant', example: true }),
        sources,
      }),
    ),
  })
  .meta({ id: 'EffectivePermissions' });

export const simulation = z
  .object({
    allowed: z.boolean().meta({ example: false }),
    rule: z.string().meta({ description: 'The rule that decided', example: 'not_granted' }),
    code: z.string().nullable().meta({ description: 'The error a request would get', example: 'forbidden' }),
    message: z
      .string()
      .meta({ description: 'The same in words', example: 'This needs the permission tenants.suspend.' }),
    sources,
  })
  .meta({ id: 'Simulation' });
