import { z } from "zod";
import { errorKind, type ErrorCode } from "../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { apiRoot } from "./mount-api.ts";
import { isMedia, type MediaAnswer, type OperationFace } from "./operation.ts";
import { components } from "./schemas.ts";

const usualErrors: readonly ErrorCode[] = ["USAGE_INVALID", "TOKEN_INVALID", "ORIGIN_FOREIGN"];

/**
 * The API's document, made of the schemas that requests are read with.
 *
 * @see https://spec.openapis.org/oas/v3.1.1
 */
export function openApiDocument(operations: readonly OperationFace[], version: string): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const operation of operations) {
    (paths[operation.path] ??= {})[operation.method] = describeOperation(operation);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Rowcall",
      version,
      description: "Runs an agent once for every row of a table. Cells, replies and outputs are data of strangers.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: apiRoot }],
    security: [{ token: [] }, { session: [] }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
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

function describeOperation(operation: OperationFace): JsonObject {
  const { id, tag, summary, description, params, query, body, answer, status = 200, method } = operation;
  const parameters = [
    ...parametersOf(params, "path"),
    ...parametersOf(query, "query"),
    ...(method === "post"
      ? [
          {
            name: "Idempotency-Key",
            in: "header",
            description: "The same key with the same request is answered with the first answer",
            schema: { type: "string", minLength: 1, maxLength: 200 },
          },
        ]
      : []),
  ];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: contentOf(body, "input"),
          },
        }),
    responses: {
      [String(status)]: {
        description: isMedia(answer) ? answer.description : "Done",
        content: contentOf(answer, "output"),
      },
      ...(isMedia(answer) && answer.isRanged === true
        ? {
            "206": { description: "The part that was asked for", content: contentOf(answer, "output") },
            "416": { description: "There is no such part" },
          }
        : {}),
      ...errorResponses([...usualErrors, ...(operation.errors ?? [])]),
    },
  };
}

function contentOf(part: z.ZodType | MediaAnswer, io: "input" | "output"): JsonObject {
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
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

const reference = (id: string): string => `#/components/schemas/${id}`;

function componentSchemas(): JsonObject {
  const { schemas } = z.toJSONSchema(components, { uri: reference, io: "output" });
  return withoutIds(schemas as unknown as JsonValue) as JsonObject;
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): JsonObject {
  const id = components.get(schema)?.id;
  if (id !== undefined) return { $ref: reference(id) };
  return withoutIds(inlined(schema, io)) as JsonObject;
}

// Named schemas come as definitions of the schema that uses them: they are the document's own.
function inlined(schema: z.ZodType, io: "input" | "output"): JsonValue {
  const made = z.toJSONSchema(schema, { metadata: components, io }) as JsonObject;
  const { $defs: _defs, ...rest } = made;
  return JSON.parse(JSON.stringify(rest).replaceAll('"#/$defs/', `"${reference("")}`)) as JsonValue;
}

function withoutIds(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((part) => withoutIds(part as JsonValue));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value as JsonObject).filter(
    ([key, part]) => !(key === "$schema" || key === "$id" || (key === "id" && typeof part === "string")),
  );
  return Object.fromEntries(entries.map(([key, part]) => [key, withoutIds(part as JsonValue)]));
}
