/** Largest JSON body that is read, in bytes. */
export const BODY_LIMIT_BYTES = 1024 * 1024;
export const MAX_PAGE_SIZE = 100;
/** Pages beyond this are refused: nobody reads them, and each costs more than the one before. Use filters. */
export const MAX_PAGE = 10_000;
export const PLATFORM_TIME_ZONE = 'Asia/Kolkata';
/** How long an answer is kept for a repeated Idempotency-Key. */
export const IDEMPOTENCY_HOURS = 24;
/** A request may hold an Idempotency-Key this long; then its process counts as gone. */
export const IDEMPOTENCY_LOCK_SECONDS = 60;
/** How long a graceful stop waits for requests and jobs. */
export const SHUTDOWN_SECONDS = 12;
/** The longest that a request may take to arrive; one with a file may take longer. */
export const REQUEST_TIMEOUT_SECONDS = 20;
export const UPLOAD_TIMEOUT_SECONDS = 120;
