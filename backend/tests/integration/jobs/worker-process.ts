// A process that runs the jobs of the product, as ROLE=worker does, until it is told to end.
import { closeDatabase } from '../../../src/config/database.ts';
import { closeRedis } from '../../../src/config/redis.ts';
import { startWorkers } from '../../../src/queues/worker.ts';

const workers = await startWorkers();
process.once('SIGTERM', () => {
  void workers.close().then(() => Promise.all([closeDatabase(), closeRedis()]));
});
