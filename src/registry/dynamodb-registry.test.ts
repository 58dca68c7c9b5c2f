import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { registryContract } from "../../test/contracts/registry-contract.ts";
import { startTestDynamodb, type TestDynamodb } from "../../test/fakes/registry-tables.ts";
import { openStores } from "../stores/open-store.ts";
import { openRegistry } from "./open-registry.ts";

let dynamodb: TestDynamodb;
before(async () => (dynamodb = await startTestDynamodb()));
after(() => dynamodb.close());

registryContract("registry of DynamoDB tables", async () => ({
  registry: openRegistry({
    store: openStores({ baseDirectory: "/" }),
    aws: dynamodb.aws,
    registries: await dynamodb.createRegistries(),
  }),
  close: async () => {},
}));
