import * as books from '../controllers/books.controller.ts';
import { pageOf } from '../utils/page.ts';
import * as v from '../validators/books.validator.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

export const revenueBooksEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'get',
    path: '/book-checks',
    operationId: 'listBookChecks',
    summary: 'List the nightly checks of the books',
    description:
      'Numbers without gaps, sums, allocations, balances, periods and the MRR: whether everything agrees, and what does not.',
    access: { permission: 'revenue.invoices' },
    query: v.listBookChecksQuery,
    response: pageOf(v.bookCheck),
    handler: books.listBookChecks,
  }),
];
