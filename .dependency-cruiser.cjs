const src = '^backend/src/';

/** The layers: routes → middleware and controllers → services → config. Never the other way. */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'services-know-no-http',
      comment: 'Services get a context; what is HTTP ends in the controller.',
      severity: 'error',
      from: { path: `${src}services/` },
      to: {
        path: [`${src}(routes|controllers|middleware)/`, 'node_modules/express/'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'controllers-call-services-only',
      severity: 'error',
      from: { path: `${src}controllers/` },
      to: { path: `${src}(routes|middleware|queues|jobs|providers|generated)/`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'routes-declare-only',
      comment: 'x.routes.ts names controllers and schemas; it does not do the work.',
      severity: 'error',
      from: { path: `${src}routes/.*\\.routes\\.ts$` },
      to: { path: `${src}(services|queues|jobs|providers|generated)/`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'config-is-the-bottom',
      severity: 'error',
      from: { path: `${src}(config|utils)/` },
      to: { path: `${src}(routes|controllers|middleware|services|jobs|providers)/`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'unsafe-database',
      comment: 'The unscoped client sees past nothing but invites to try. Use ctx.db and ctx.sql.',
      severity: 'error',
      from: {
        path: src,
        pathNot: [
          `${src}config/`,
          `${src}(index|create-admin|break-glass)\\.ts$`,
          `${src}services/monitoring\\.service\\.ts$`,
        ],
      },
      to: { path: `${src}config/database\\.ts$`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'scopes-are-taken-in-few-places',
      comment: 'A scope decides whose rows are seen: it is taken by the context, never by business code.',
      severity: 'error',
      from: {
        path: src,
        pathNot: [
          `${src}config/`,
          `${src}services/(cache|context|principal)\\.service\\.ts$`,
          `${src}middleware/(tenant|idempotency)\\.middleware\\.ts$`,
          `${src}queues/`,
        ],
      },
      to: { path: `${src}config/scope\\.ts$`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'product-without-tests-and-tools',
      severity: 'error',
      from: { path: src },
      to: { path: '^(backend/(tests|tools|prisma)|launcher|bench)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'backend/(dist|src/generated)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'] },
  },
};
