import { parseArgs } from 'node:util';
import { closeDatabase } from './config/database.ts';
import { createFirstAdmin } from './services/first-admin.service.ts';
import { email as emailField, text } from './utils/fields.ts';

const usage = 'Usage: node backend/dist/create-admin.js EMAIL "FULL NAME"';

/** Creates a super admin where there is none yet: the way into a new installation. */
async function main(): Promise<void> {
  const [givenEmail, givenName] = parseArgs({ allowPositionals: true }).positionals;
  const email = emailField.safeParse(givenEmail);
  const name = text(120, 2).safeParse(givenName);
  if (!email.success || !name.success) throw new Error(usage);
  await createFirstAdmin({ email: email.data, name: name.data });
  console.log(
    `${email.data} is a super admin. A mail with a link to set a password goes out as soon as a worker runs.`,
  );
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await closeDatabase();
}
