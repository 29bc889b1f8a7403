import { readFileSync } from 'node:fs';
import compression from 'compression';
import express, { type Router } from 'express';
import helmet from 'helmet';
import swaggerUi from 'swagger-ui-express';
import { backendFile } from '../utils/backend-file.ts';

/** Swagger UI and the document, without a word to any other host. */
export function docsRouter(): Router {
  const document = readFileSync(backendFile('swagger.yaml'), 'utf8');
  const router = express.Router();
  router.use(helmet(), compression());
  router.get('/openapi.yaml', (_request, response) => void response.type('application/yaml').send(document));
  router.use(
    '/',
    swaggerUi.serve,
    swaggerUi.setup(undefined, { swaggerOptions: { url: '/api/docs/openapi.yaml' }, customSiteTitle: 'StudySpot API' }),
  );
  return router;
}
