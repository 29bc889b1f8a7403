// A process that does the billing run, and that the test kills. Argument: the moment that it is.
import { setClockOffset } from '../../../src/config/clock.ts';
import { runJob } from '../../support/billing.ts';

setClockOffset(new Date(process.argv[2] ?? '').getTime() - Date.now());
process.stdout.write('running\n');
await runJob('invoice.billing-run', {});
