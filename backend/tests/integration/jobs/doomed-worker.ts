// A worker process that takes a job and never finishes it: the test kills it. Arguments: a line of JSON with the place.
import { openJobBackend, type JobPlace } from '../../../src/queues/backend.ts';
import { startWorkers } from '../../../src/queues/worker.ts';
import { registryOf } from './support.ts';

const place = JSON.parse(process.argv[2] ?? '') as JobPlace;
const registry = registryOf({
  'test.doomed': {
    handle: () => {
      process.stdout.write('taken\n');
      return new Promise(() => setInterval(() => undefined, 1_000));
    },
  },
});
await startWorkers({ backend: openJobBackend(place), registry });
process.stdout.write('ready\n');
