/** How a queue treats its jobs. A job may set its own `attempts`, `backoffSeconds` and `timeoutSeconds`. */
export type QueueSettings = {
  /** Jobs that one worker process runs at the same time. */
  concurrency: number;
  /** Tries before a job becomes a dead letter. */
  attempts: number;
  /** Wait before the second try; doubles with each further one, less a random part of up to a half. */
  backoffSeconds: number;
  /** The longest that one try may take. */
  timeoutSeconds: number;
  /** How many finished jobs are kept, to look at and to recognise a job that is added again. */
  keepCompleted: number;
};

/** Every queue of the product. */
export const queues = {
  email: { concurrency: 10, attempts: 12, backoffSeconds: 5, timeoutSeconds: 60, keepCompleted: 10_000 },
  sms: { concurrency: 10, attempts: 6, backoffSeconds: 5, timeoutSeconds: 30, keepCompleted: 10_000 },
  whatsapp: { concurrency: 10, attempts: 6, backoffSeconds: 5, timeoutSeconds: 30, keepCompleted: 10_000 },
  settlement: { concurrency: 2, attempts: 5, backoffSeconds: 30, timeoutSeconds: 300, keepCompleted: 2_000 },
  invoice: { concurrency: 4, attempts: 6, backoffSeconds: 15, timeoutSeconds: 120, keepCompleted: 5_000 },
  dunning: { concurrency: 4, attempts: 6, backoffSeconds: 30, timeoutSeconds: 120, keepCompleted: 5_000 },
  report: { concurrency: 2, attempts: 3, backoffSeconds: 60, timeoutSeconds: 900, keepCompleted: 1_000 },
  import: { concurrency: 2, attempts: 5, backoffSeconds: 10, timeoutSeconds: 900, keepCompleted: 1_000 },
  webhook: { concurrency: 4, attempts: 3, backoffSeconds: 30, timeoutSeconds: 300, keepCompleted: 1_000 },
  cleanup: { concurrency: 1, attempts: 3, backoffSeconds: 60, timeoutSeconds: 900, keepCompleted: 1_000 },
} as const satisfies Record<string, QueueSettings>;

export type QueueName = keyof typeof queues;

export const queueNames = Object.keys(queues) as QueueName[];
