import { z } from "zod";
import { errorKind, type ErrorCode } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { apiRoot } from "./mount-api.ts";
import { isMedia, routeOf, type Media, type OperationDescription } from "./operation.ts";

const usualErrors: readonly ErrorCode[] = ["USAGE_INVALID", "TOKEN_INVALID", "ORIGIN_FOREIGN"];

/**
 * The API's document, made of the schemas that requests are read with.
 *
 * @param operations - by tag
 * @see https://spec.openapis.org/oas/v3.1.1
 */
export function openApiDocument(
  operations: Readonly<Record<string, readonly OperationDescription[]>>,
  version: string,
): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const [tag, ofTag] of Object.entries(operations)) {
    for (const operation of ofTag) {
      const { method, path } = routeOf(operation);
      (paths[path] ??= {})[method.toLowerCase()] = describeOperation(operation, tag);
    }
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Rowcall",
      version,
      description: "Runs an agent once for every row of a table. Cells, replies and outputs are untrusted data.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: apiRoot }],
    security: [{ token: [] }, { session: [] }],
    tags: Object.keys(operations).map((name) => ({ name })),
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "The token of the address that `rowcall serve` prints" },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "rowcall_session",
          description: "Begun by opening that address; the cookie's name ends in a mark of the server instead",
        },
      },
    },
  };
}

const idempotencyKey: JsonObject = {
  name: "Idempotency-Key",
  in: "header",
  description: "The same key with the same request is answered with the first answer",
  schema: { type: "string", minLength: 1, maxLength: 200 },
};

function describeOperation(operation: OperationDescription, tag: string): JsonObject {
  const { id, summary, description, params, query, body, answer, status = 200, errors = [] } = operation;
  const parameters = [
    ...parametersOf(params, "path"),
    ...parametersOf(query, "query"),
    ...(operation.route.startsWith("POST ") && !(body !== undefined && isMedia(body)) ? [idempotencyKey] : []),
  ];
  const content = contentOf(answer, "output");
  const isRanged = isMedia(answer) && answer.isRanged === true;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    parameters: parameters.length === 0 ? undefined : parameters,
    requestBody: body && { required: true, content: contentOf(body, "input") },
    responses: {
      [String(status)]: { description: isMedia(answer) ? answer.description : "Done", content },
      ...(isRanged && {
        "206": { description: "The part that was asked for", content },
        "416": { description: "There is no such part" },
      }),
      ...errorResponses([...usualErrors, ...errors]),
    },
  };
}

function contentOf(part: z.ZodType | Media, io: "input" | "output"): JsonObject {
  if (!isMedia(part)) return { "application/json": { schema: schemaOf(part, io) } };
  return Object.fromEntries(part.media.map((media) => [media, { schema: { type: "string" } }]));
}

function errorResponses(codes: readonly ErrorCode[]): JsonObject {
  const byStatus = Map.groupBy(codes, (code) => String(errorKind(code).httpStatus));
  const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  return Object.fromEntries([...byStatus].map(([status, some]) => [status, { description: some.join(", "), content }]));
}

function parametersOf(schema: z.ZodObject | undefined, place: "path" | "query"): JsonObject[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, "input") as {
    properties?: Record<string, JsonObject>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => {
    // What is coerced takes any value; what comes of it says more.
    const output = (schemaOf(schema, "output")["properties"] as Record<string, JsonObject> | undefined)?.[name];
    const { description, ...rest } =
      property["type"] === undefined && property["$ref"] === undefined ? (output ?? property) : property;
    return {
      name,
      in: place,
      required: place === "path" || required.includes(name),
      description,
      schema: rest,
    };
  });
}

const reference = (id: string): string => `#/components/schemas/${id}`;

function componentSchemas(): JsonObject {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { uri: reference, io: "output" });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => [id, withoutNames(schema as unknown as JsonObject)]),
  );
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): JsonObject {
  const id = z.globalRegistry.get(schema)?.id;
  if (id !== undefined) return { $ref: reference(id) };
  const made = withoutNames(z.toJSONSchema(schema, { io }) as JsonObject);
  // Named schemas come as definitions of the schema that uses them: they are the document's own.
  return JSON.parse(JSON.stringify(made).replaceAll('"#/$defs/', `"${reference("")}`)) as JsonObject;
}

function withoutNames({
  $schema: _dialect,
  $id: _address,
  id: _name,
  $defs: _named,
  ...schema
}: JsonObject): JsonObject {
  return schema;
}
