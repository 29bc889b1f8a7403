import type { JobHandler } from '../queues/job-context.ts';
import { checkBooks } from '../services/books.service.ts';

/** Compares everything that must agree in the books. */
export const checkTheBooks: JobHandler<'invoice.check-books'> = (ctx) => checkBooks(ctx);
