import { ErrorBody } from '../api/errors.js';
import { ROUTES, type Route } from '../api/routes.js';
import { packageVersion } from '../package.js';
import { IDEMPOTENCY_KEY } from './idempotency-key.js';

let document: Promise<unknown> | null = null;

/** The OpenAPI document of the table of routes; made when it is first asked for, as nothing else needs it. */
export function openApi(): Promise<unknown> {
  document ??= make();
  return document;
}

async function make(): Promise<unknown> {
  const [{ default: fastify }, { default: swagger }] = await Promise.all([
    import('fastify'),
    import('@fastify/swagger'),
  ]);
  const app = fastify();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Quorate', version: packageVersion(), description: 'The API of an environment’s controllers.' },
      components: {
        securitySchemes: {
          // The types are those of OpenAPI 3.0, which had no such scheme.
          certificate: { type: 'mutualTLS', description: 'A certificate of the environment' } as never,
          token: { type: 'http', scheme: 'bearer' },
        },
      },
    },
  });
  for (const [name, route] of Object.entries<Route>(ROUTES)) {
    app.route({ method: route.method, url: route.path, schema: schemaOf(name, route), handler: async () => ({}) });
  }
  await app.ready();
  return app.swagger();
}

function schemaOf(name: string, route: Route) {
  const parameters = [...route.path.matchAll(/:(\w+)/g)].map(([, parameter]) => [parameter, { type: 'string' }]);
  const good =
    route.text === undefined
      ? route.answer
      : { description: 'text', content: { [route.text]: { schema: route.answer } } };
  const answers = { [route.status ?? 200]: good, '4xx': ErrorBody, '5xx': ErrorBody };
  return {
    operationId: name,
    summary: route.summary,
    description: route.may === 'anyone' ? 'No login.' : `For: ${route.may.join(', ')}.`,
    ...(parameters.length > 0 ? { params: { type: 'object', properties: Object.fromEntries(parameters) } } : {}),
    ...(route.query ? { querystring: route.query } : {}),
    ...(route.body ? { body: route.body } : {}),
    ...(route.change
      ? {
          headers: {
            type: 'object',
            required: ['idempotency-key'],
            properties: {
              'idempotency-key': {
                type: 'string',
                pattern: IDEMPOTENCY_KEY.source,
                description: 'done again with the same key, it is done once',
              },
            },
          },
        }
      : {}),
    ...(route.may === 'anyone' ? {} : { security: [{ certificate: [] }, { token: [] }] }),
    response: answers,
  };
}
