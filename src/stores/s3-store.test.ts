import { after, before, describe } from "node:test";
import { objectStoreContract } from "../../test/contracts/object-store-contract.ts";
import { startTestS3, type TestS3 } from "../../test/fakes/s3.ts";
import { openS3Store } from "./s3-store.ts";

describe("s3: store", () => {
  let s3: TestS3;
  let buckets = 0;
  before(async () => {
    s3 = await startTestS3();
  });
  after(() => s3.close());

  objectStoreContract("s3 store", async () => {
    const bucket = `contract-${(buckets += 1)}`;
    await s3.createBucket(bucket);
    const store = openS3Store({ aws: s3.aws, clock: Date.now });
    return {
      store,
      prefix: `s3://${bucket}/some/folder`,
      leftovers: async () => [
        ...(await Array.fromAsync(store.list(`s3://${bucket}`))).map(({ uri }) => uri),
        ...s3.openUploads,
      ],
      close: async () => {},
    };
  });
});
