import type { Answer } from '../../../support/client.ts';
import { someAddress } from '../../../support/factories.ts';
import type { TestApp } from '../../../support/server.ts';

/** One call of an endpoint that succeeds, made from nothing. */
export type Scenario = (app: TestApp) => Promise<{ answer: Answer }>;

/** Something that nobody else has. */
export const fresh = () => `${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
/** From an address of its own: limits by address do not add up over tests. */
export const from = () => ({ headers: { 'x-forwarded-for': someAddress() } });
