/**
 * Lets at most so many works run at a time. The others wait their turn and hold nothing meanwhile: no connection, no
 * lock. Works that would wait for the same lock anyway do not use up the connections that others need.
 */
export function turnstile(atOnce: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // Whoever is next takes over the place.
      if (next) next();
      else running -= 1;
    }
  };
}
