import { once } from 'node:events';
import { sandboxGateway } from '../../src/providers/payment-gateway-sandbox.provider.ts';

// One of several processes that use the same sandbox at once; tells what it got done.

const { DIRECTORY = '', PAYMENT = '', CUSTOMER = '' } = process.env;
const gateway = sandboxGateway(DIRECTORY, 'secret');
const answer = { orders: [] as string[], charged: [] as string[], refunded: [] as string[], declined: 0 };

const unlessRefused = <Result>(call: Promise<Result>): Promise<Result | undefined> => call.catch(() => undefined);

process.send?.('ready');
await once(process, 'message');
for (let index = 0; index < 30; index += 1) {
  const receipt = `receipt ${index}`;
  const order = await gateway.createOrder({ amountPaise: 5_000, currency: 'INR', receipt, notes: {} });
  const charge = { orderId: order.id, amountPaise: 5_000, email: 'a@b.example', description: 'x', receipt };
  answer.orders.push(order.id);
  const paid = await unlessRefused(gateway.charge({ ...charge, customerId: CUSTOMER, tokenId: 'token_success' }));
  if (paid) answer.charged.push(receipt);
  const refund = { paymentId: PAYMENT, amountPaise: 6_000, receipt: `${process.pid} ${index}`, notes: {} };
  const given = await unlessRefused(gateway.refund(refund));
  if (given) answer.refunded.push(given.id);
}
for (let index = 0; index < 3; index += 1) {
  const receipt = `${process.pid} order ${index}`;
  const { id: orderId } = await gateway.createOrder({ amountPaise: 5_000, currency: 'INR', receipt, notes: {} });
  const charge = { orderId, amountPaise: 5_000, email: 'a@b.example', description: 'x', receipt };
  const { status } = await gateway.charge({ ...charge, customerId: CUSTOMER, tokenId: 'token_fails_twice' });
  if (status === 'FAILED') answer.declined += 1;
}
process.send?.(answer);
process.disconnect?.();
