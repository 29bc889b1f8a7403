import type { z } from 'zod';
import { collectByPerson } from '../services/invoice-collect.service.ts';
import { recordOfflinePayment } from '../services/offline-payments.service.ts';
import { paymentLinkFor } from '../services/payment-links.service.ts';
import type { Actor, ManualContext, WriteContext } from '../types/context.ts';
import type * as v from '../validators/invoice-payments.validator.ts';

type Of = { params: { id: string } };
type Body<Schema extends z.ZodType> = { body: z.output<Schema> };

export const recordPayment = (ctx: WriteContext<Actor>, { params, body }: Of & Body<typeof v.offlinePaymentBody>) =>
  recordOfflinePayment(ctx, params.id, body);

export const collectInvoice = (ctx: ManualContext<Actor>, { params, body }: Of & Body<typeof v.collectBody>) =>
  collectByPerson(ctx, params.id, body.paymentMethodId);

export const makePaymentLink = (ctx: ManualContext<Actor>, { params }: Of) => paymentLinkFor(ctx, params.id);
