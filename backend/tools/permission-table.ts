import {
  BUILT_IN_ROLES,
  permissionCodes,
  permissionDefinition,
  type BuiltInRoleCode,
  type Permission,
} from '../src/config/permissions.ts';
import type { Access, Endpoint, Module } from '../src/routes/endpoint.ts';

const roles = Object.keys(BUILT_IN_ROLES) as BuiltInRoleCode[];
const groups = [...new Set(permissionCodes.map((code) => permissionDefinition(code).group))];

type Route = { name: string; endpoint: Endpoint };

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[], align = head.map(() => '---')): string =>
  [row(head), row(align), ...rows.map(row)].join('\n');

function matrix(): string {
  const rows = groups.flatMap((group) => [
    [`**${group}**`, '', ...roles.map(() => '')],
    ...permissionCodes
      .filter((code) => permissionDefinition(code).group === group)
      .map((code) => [
        `\`${code}\``,
        permissionDefinition(code).risk.toLowerCase(),
        ...roles.map((role) => ((BUILT_IN_ROLES[role].permissions as readonly Permission[]).includes(code) ? '✓' : '')),
      ]),
  ]);
  return table(['Permission', 'Risk', ...roles.map((role) => BUILT_IN_ROLES[role].name)], rows, [
    '---',
    '---',
    ...roles.map(() => ':-:'),
  ]);
}

const permissionOf = (access: Access): Permission | undefined =>
  typeof access === 'object' && 'permission' in access ? access.permission : undefined;

function routeText({ name, endpoint }: Route): string {
  const own = typeof endpoint.access === 'object' && 'tenant' in endpoint.access && endpoint.access.tenant;
  return [`\`${name}\``, own && '· own tenant', endpoint.stepUp && '· step-up'].filter(Boolean).join(' ');
}

const listOf = (routes: readonly Route[]): string => routes.map(routeText).join('<br>');

function details(routes: readonly Route[]): string {
  return groups
    .map((group) => {
      const rows = permissionCodes
        .filter((code) => permissionDefinition(code).group === group)
        .map((code) => {
          const asking = routes.filter(({ endpoint }) => permissionOf(endpoint.access) === code);
          const { description, tenants } = permissionDefinition(code);
          const whom = tenants ? `${description}. People of a tenant can hold it, for their own.` : `${description}.`;
          return [`\`${code}\``, whom, listOf(asking)];
        });
      return `### ${group}\n\n${table(['Permission', 'What it allows', 'Endpoints that ask for it'], rows)}`;
    })
    .join('\n\n');
}

const bullets = (routes: readonly Route[]): string => routes.map((route) => `- ${routeText(route)}`).join('\n');

/** The text of `docs/permissions.md`: who may do what, by the code that decides it. */
export function permissionTable(modules: readonly Module[]): string {
  const routes = modules.flatMap(({ prefix, endpoints }) =>
    endpoints.map((endpoint) => ({
      name: `${endpoint.method.toUpperCase()} /api${prefix}${endpoint.path === '/' ? '' : endpoint.path}`,
      endpoint,
    })),
  );
  const open = (access: Access) => routes.filter(({ endpoint }) => endpoint.access === access);
  return `# Permissions

Generated from \`backend/src/config/permissions.ts\` and the declared endpoints: \`npm run generate\`.

Built-in roles and what they hold. Custom roles hold any of these; direct grants and denials of a person go on top, and a denial wins. Library owner, staff, student and parent are people of a tenant and never see more than their own.

${matrix()}

## What asks for them

*own tenant*: people of a tenant who hold the permission may call it too, for their own. *step-up*: only for somebody who proved within ten minutes who they are.

${details(routes)}

## Without a permission

Everybody who is signed in, for their own account:

${bullets(open('authenticated'))}

Everybody, without a token:

${bullets(open('public'))}
`;
}
