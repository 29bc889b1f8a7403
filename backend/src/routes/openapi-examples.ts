import { z } from 'zod';

type JsonSchema = {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  example?: unknown;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  type?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
};

/**
 * An example of a schema, put together from the examples of its fields: they are written once, beside the field.
 * @throws Error that names a field which has neither an example nor a value to tell one from
 */
export function exampleOf(schema: z.ZodType, io: 'input' | 'output'): unknown {
  const json = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema;
  return compose(json, json.$defs ?? {}, '');
}

function compose(schema: JsonSchema, definitions: Record<string, JsonSchema>, path: string): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.$ref) return compose(definitions[schema.$ref.replace('#/$defs/', '')] ?? {}, definitions, path);
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  const variant = (schema.anyOf ?? schema.oneOf ?? schema.allOf)?.find((one) => one.type !== 'null');
  if (variant) return compose(variant, definitions, path);
  if (schema.type === 'array' && schema.items) return [compose(schema.items, definitions, `${path}[]`)];
  if (schema.properties) {
    const fields = Object.entries(schema.properties);
    return Object.fromEntries(fields.map(([name, field]) => [name, compose(field, definitions, `${path}.${name}`)]));
  }
  if (schema.enum) return schema.enum[0];
  throw new Error(`Give ${path || 'the schema'} an example: .meta({ example: … })`);
}
