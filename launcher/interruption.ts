const SIGNALS: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Somebody wants this command to end: Ctrl-C, kill, or a closed terminal. */
export class Interrupted extends Error {}

export interface Interruption {
  /** Called when a second signal comes: things are to end at once. */
  onImpatience: (handler: () => void) => void;
  /** Runs something unless a signal has come, and stops waiting for it when one comes. */
  orElse: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Takes over the signals that end a process, so that what was started can be stopped in order. */
export function watchInterruption(): Interruption {
  let impatience = () => {};
  let interrupted = false;
  const promise = new Promise<never>((_, reject) => {
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (interrupted) impatience();
        interrupted = true;
        reject(new Interrupted());
      });
    }
  });
  promise.catch(() => {});
  return {
    onImpatience: (handler) => {
      impatience = handler;
    },
    orElse: async (work) => (interrupted ? promise : Promise.race([work(), promise])),
  };
}
