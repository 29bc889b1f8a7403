import express, { type Express } from 'express';
import { environment } from './config/environment.ts';
import { crossOrigin } from './middleware/cors.middleware.ts';
import { securityHeaders } from './middleware/security-headers.middleware.ts';
import { answerError, answerNotFound } from './middleware/error.middleware.ts';
import { requestLog } from './middleware/logger.middleware.ts';
import { docsRouter } from './routes/docs.routes.ts';
import { modules, modulesOutsideProduction } from './routes/index.ts';
import { toRouter } from './routes/router.ts';

/** The Express app: what every request passes, the modules, the document, the errors. */
export function createApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  // Only the named proxies may say who the caller is (rule 7).
  app.set('trust proxy', environment().TRUST_PROXY);
  app.use(requestLog);
  app.use(securityHeaders());
  app.use(crossOrigin());
  const mounted = environment().NODE_ENV === 'production' ? modules : [...modules, ...modulesOutsideProduction];
  for (const module of mounted) app.use(`/api${module.prefix}`, toRouter(module));
  app.use('/api/docs', docsRouter());
  app.use(answerNotFound);
  app.use(answerError);
  return app;
}
