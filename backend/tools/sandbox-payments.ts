import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  sandboxGateway,
  sandboxOutcomes,
  type SandboxOutcome,
} from '../src/providers/payment-gateway-sandbox.provider.ts';
import { backendFile } from '../src/utils/backend-file.ts';

// Plays the payer and the bank of the sandbox by hand: docs/payments-sandbox.md.

const usage = `npx tsx backend/tools/sandbox-payments.ts COMMAND ID [OUTCOME]

  pay-link plink_… [OUTCOME]               somebody follows the link and pays
  complete-mandate order_… [OUTCOME]       the payer allows the mandate; OUTCOME of the charges to come, or rejected
  finish-payment pay_… [OUTCOME]           the bank is done with a payment that stayed CREATED
  change-mandate token_… ACTIVE|PAUSED|CANCELLED

OUTCOME is success or one of: ${sandboxOutcomes.join(', ')}
DATA_DIR is that of the processes; default: .data
`;

function outcomeOf(given = 'success'): SandboxOutcome {
  const outcome = sandboxOutcomes.find((name) => name === given);
  if (!outcome) throw new Error(`${given} is no outcome\n\n${usage}`);
  return outcome;
}

function mandateStatusOf(given = ''): 'ACTIVE' | 'PAUSED' | 'CANCELLED' {
  if (given !== 'ACTIVE' && given !== 'PAUSED' && given !== 'CANCELLED') throw new Error(usage);
  return given;
}

async function run([command, id = '', word]: string[]): Promise<unknown> {
  const directory = path.resolve(backendFile('..'), process.env.DATA_DIR || '.data', 'gateway');
  // Webhooks are signed by whoever delivers them.
  const sandbox = sandboxGateway(directory, '');
  if (command === 'pay-link') return sandbox.payLink(id, outcomeOf(word));
  if (command === 'complete-mandate') {
    return sandbox.completeMandate(id, word === 'rejected' ? 'rejected' : outcomeOf(word));
  }
  if (command === 'finish-payment') return sandbox.finishPayment(id, outcomeOf(word));
  if (command === 'change-mandate') return sandbox.changeMandate(id, mandateStatusOf(word));
  throw new Error(usage);
}

try {
  const done = await run(parseArgs({ allowPositionals: true }).positionals);
  console.log(done ?? 'Done');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
