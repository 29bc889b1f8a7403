let stopping = false;

/** Set once when the process was asked to stop: it finishes what it has and takes no new work. */
export const beginStopping = (): void => void (stopping = true);
export const isStopping = (): boolean => stopping;
