import { parseArgs } from 'node:util';
import { closeDatabase } from './config/database.ts';
import { closeRedis } from './config/redis.ts';
import { liftLockouts, removeIpRules, resetAdminAccess } from './services/break-glass.service.ts';
import { email as emailField, text } from './utils/fields.ts';
import { idPattern } from './utils/ids.ts';

const usage = `The way back in when nobody can sign in to the portal any more. Everything it does is in the audit trail.

Usage: node backend/dist/break-glass.js --reason "WHY" WHAT

WHAT is one or several of
  --remove-ip-rules        remove every address rule: people may come from everywhere again
  --remove-ip-rule ID      remove one of them
  --lift-lockouts          let all accounts that are locked try again at once
  --lift-lockouts-of EMAIL let one account try again at once
  --reset-admin EMAIL      remove the second factors of a portal admin, end their sessions and mail them a link for a
                           new password (a worker has to run for the mail)

It needs the same environment as the API: DATABASE_URL, REDIS_URL and the secrets.`;

const options = {
  reason: { type: 'string' },
  'remove-ip-rules': { type: 'boolean' },
  'remove-ip-rule': { type: 'string' },
  'lift-lockouts': { type: 'boolean' },
  'lift-lockouts-of': { type: 'string' },
  'reset-admin': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** What was asked for, checked as a whole before any of it is done. @throws Error that shows how it is used */
function readArguments() {
  const { values } = parseArgs({ options });
  const wanted = Object.keys(values).some((name) => name !== 'reason' && name !== 'help');
  if (values.help || !wanted) throw new Error(usage);
  const reason = text(500, 5).safeParse(values.reason);
  if (!reason.success) throw new Error(`--reason "WHY" is missing: five characters at least.\n\n${usage}`);
  const ruleId = values['remove-ip-rule'];
  if (ruleId !== undefined && !idPattern.test(ruleId))
    throw new Error(`--remove-ip-rule needs the id of a rule.\n\n${usage}`);
  return {
    reason: reason.data,
    ruleId,
    allRules: values['remove-ip-rules'] ?? false,
    allLockouts: values['lift-lockouts'] ?? false,
    lockedOut: emailOf('lift-lockouts-of', values['lift-lockouts-of']),
    admin: emailOf('reset-admin', values['reset-admin']),
  };
}

function emailOf(option: string, given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const read = emailField.safeParse(given);
  if (!read.success) throw new Error(`--${option} needs an email address.\n\n${usage}`);
  return read.data;
}

async function main(): Promise<void> {
  const { reason, ruleId, allRules, allLockouts, lockedOut, admin } = readArguments();
  if (allRules) console.log(`Address rules removed: ${await removeIpRules(reason)}`);
  if (ruleId) console.log(`Address rules removed: ${await removeIpRules(reason, ruleId)}`);
  if (allLockouts) console.log(`Lock-outs lifted: ${await liftLockouts(reason)}`);
  if (lockedOut) console.log(`Lock-outs of ${lockedOut} lifted: ${await liftLockouts(reason, lockedOut)}`);
  if (!admin) return;
  await resetAdminAccess(reason, admin);
  console.log(`${admin} has no second factor and no session any more. A mail with a link for a new password goes out.`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await Promise.allSettled([closeDatabase(), closeRedis()]);
}
