import type { Answer } from '../../support/client.ts';
import type { TestApp } from '../../support/server.ts';

export type Caller = { token: string; headers?: Record<string, string> };

/** Calls of the settings as somebody makes them. */
export function settingsAs(app: TestApp, { token, headers = {} }: Caller) {
  const call = (method: string, path: string, body?: unknown, version?: number): Promise<Answer> =>
    app.call(method, `/api/settings${path}`, {
      token,
      ...(body !== undefined && { body }),
      headers: { ...headers, ...(version !== undefined && { 'if-match': `"${version}"` }) },
    });
  return {
    call,
    set: (key: string, value: unknown, version: number) => call('PUT', `/${key}`, { value }, version),
    reset: (key: string, version: number) => call('DELETE', `/${key}`, undefined, version),
    setFor: (tenantId: string, key: string, value: unknown, version: number) =>
      call('PUT', `/tenants/${tenantId}/${key}`, { value }, version),
    rollback: (key: string, to: number, version: number) => call('POST', `/${key}/rollback`, { version: to }, version),
    find: async (key: string, path = '') => {
      const { body } = await call('GET', path);
      return body.data.find((one: { key: string }) => one.key === key);
    },
  };
}

export type Settings = ReturnType<typeof settingsAs>;

export const auditOfSetting = (app: TestApp, key: string) =>
  app.query<{ action: string; chain: string; outcome: string; changes: unknown }>(
    `select action, chain, outcome, changes from audit_logs where resource = 'setting' and resource_id = $1
      order by created_at, sequence`,
    [key],
  );
