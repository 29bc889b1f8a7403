import { resetClock } from './billing.ts';
import { startTestApp, type TestApp } from './server.ts';

export type FinanceApp = TestApp & { finance: string };

/** The API with somebody of finance signed in. Closing it sets the clock back: other files share the process. */
export async function startFinanceApp(environment: Record<string, string> = {}): Promise<FinanceApp> {
  const app = await startTestApp(environment);
  const close = async () => {
    resetClock();
    await app.close();
  };
  return { ...app, finance: await app.adminToken({ role: 'finance' }), close };
}
