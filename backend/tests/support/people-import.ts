import type { clientOf } from './client.ts';

type Fields = { name?: string; tenantId?: string; kind?: string; libraryId?: string | undefined; mapping?: string };

/** Sends a file of people as a form does. @param fields beside the file; `name` is what the file is called */
export const sendPeople = (
  call: ReturnType<typeof clientOf>,
  token: string,
  content: string | Uint8Array,
  { name = 'people.csv', ...fields }: Fields = {},
) => {
  const given = Object.entries(fields).flatMap(([field, value]) =>
    value === undefined ? [] : [[field, value] as const],
  );
  const form = { ...Object.fromEntries(given), file: { name, content } };
  return call('POST', '/api/platform-users/bulk-import', { token, form });
};
