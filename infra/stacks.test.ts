import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Template } from "aws-cdk-lib/assertions";
import type { JsonObject } from "../src/core/json.ts";
import { resolve } from "./testing/resolve.ts";
import { textsIn } from "./testing/roles.ts";
import { synthesise } from "./testing/synthesise.ts";
import { everyOption } from "./testing/variants.ts";

const usual = synthesise();
const other = synthesise(everyOption);

interface Resource {
  readonly Properties: JsonObject;
  readonly DeletionPolicy?: string;
}

/** A template's resources of a type, resolved. */
function resourcesOf(template: Template, type: string): readonly Resource[] {
  return Object.values(template.findResources(type)).map((one) => resolve(template, one) as unknown as Resource);
}

function propertiesOf(template: Template, type: string): readonly JsonObject[] {
  return resourcesOf(template, type).map(({ Properties: properties }) => properties);
}

describe("storage", () => {
  const { storage } = usual.templates;

  test("has the original product's names", () => {
    const names = (type: string, key: string): readonly unknown[] => propertiesOf(storage, type).map((one) => one[key]);
    assert.deepEqual(names("AWS::S3::Bucket", "BucketName"), [
      "batch-processor-prod-123456789012",
      "browser-agent-recordings-prod-123456789012",
    ]);
    assert.deepEqual(names("AWS::DynamoDB::Table", "TableName"), ["AgentRegistry-prod", "TemplateRegistry-prod"]);
    assert.deepEqual(names("AWS::SNS::Topic", "TopicName"), [
      "batch-processor-notifications-prod",
      "batch-processor-alarms-prod",
    ]);
  });

  test("keys the registry as the registry expects it", () => {
    assert.deepEqual(
      propertiesOf(storage, "AWS::DynamoDB::Table").map(({ KeySchema: keys }) => keys),
      ["agent_name", "template_id"].map((hash) => [
        { AttributeName: hash, KeyType: "HASH" },
        { AttributeName: "version", KeyType: "RANGE" },
      ]),
    );
  });

  test("encrypts, versions and hides buckets, and lets go of what is left behind", () => {
    for (const bucket of propertiesOf(storage, "AWS::S3::Bucket")) {
      assert.deepEqual(bucket["VersioningConfiguration"], { Status: "Enabled" });
      assert.deepEqual(Object.values(bucket["PublicAccessBlockConfiguration"] ?? {}), [true, true, true, true]);
      assert.ok(textsIn(bucket["BucketEncryption"]).includes("AES256"));
      assert.match(JSON.stringify(bucket["LifecycleConfiguration"]), /"AbortIncompleteMultipartUpload"/);
    }
    const [data, recordings] = propertiesOf(storage, "AWS::S3::Bucket").map(rulesOf);
    assert.deepEqual(data?.["runs"], { Id: "runs", Prefix: "runs/", ExpirationInDays: 30, Status: "Enabled" });
    assert.deepEqual(recordings?.["recordings"], { Id: "recordings", ExpirationInDays: 90, Status: "Enabled" });
  });

  test("never lets inputs and outputs expire", () => {
    const [data] = propertiesOf(storage, "AWS::S3::Bucket").map(rulesOf);
    const expiring = Object.values(data ?? {}).filter((rule) => rule["ExpirationInDays"] !== undefined);
    assert.deepEqual(
      expiring.map((rule) => rule["Prefix"]),
      ["runs/"],
    );
  });

  test("refuses buckets and topics to those who come without TLS", () => {
    const policies = [
      ...resourcesOf(storage, "AWS::S3::BucketPolicy"),
      ...resourcesOf(storage, "AWS::SNS::TopicPolicy"),
    ];
    assert.equal(policies.length, 4);
    for (const policy of policies)
      assert.match(JSON.stringify(policy), /"Bool":\{"aws:SecureTransport":"false"\}\},"Effect":"Deny"/);
  });

  test("retains data, and cannot be destroyed by mistake", () => {
    for (const type of ["AWS::S3::Bucket", "AWS::DynamoDB::Table"])
      for (const { DeletionPolicy: policy } of resourcesOf(storage, type)) assert.equal(policy, "Retain");
    for (const table of propertiesOf(storage, "AWS::DynamoDB::Table")) {
      assert.equal(table["DeletionProtectionEnabled"], true);
      assert.deepEqual(table["PointInTimeRecoverySpecification"], { PointInTimeRecoveryEnabled: true });
    }
    for (const { stack } of [usual.storage, usual.agent, usual.batches])
      assert.equal(stack.terminationProtection, true);
  });

  test("with retain=false leaves nothing", () => {
    const { templates } = other;
    for (const template of Object.values(templates)) {
      const all = template.toJSON() as { readonly Resources: Readonly<Record<string, Resource>> };
      const kept = Object.entries(all.Resources).filter(([, { DeletionPolicy: policy }]) => policy === "Retain");
      assert.deepEqual(kept, []);
    }
    templates.storage.resourceCountIs("Custom::S3AutoDeleteObjects", 2);
    for (const { stack } of [other.storage, other.agent, other.batches])
      assert.equal(stack.terminationProtection, false);
  });

  test("with encryption=kms everything is encrypted with one key of the stack, which alarms may use", () => {
    const { storage: template } = other.templates;
    const [keyId = ""] = Object.keys(template.findResources("AWS::KMS::Key"));
    const encrypted = ["AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SNS::Topic"].flatMap((type) =>
      propertiesOf(template, type),
    );
    assert.equal(encrypted.length, 6);
    for (const one of encrypted) assert.ok(textsIn(one).some((text) => text.includes(keyId)));
    const [key] = propertiesOf(template, "AWS::KMS::Key");
    assert.equal(key?.["EnableKeyRotation"], true);
    assert.ok(textsIn(key?.["KeyPolicy"]).includes("cloudwatch.amazonaws.com"));
  });
});

function rulesOf(bucket: JsonObject): Readonly<Record<string, JsonObject>> {
  const { Rules: rules } = bucket["LifecycleConfiguration"] as unknown as { readonly Rules: readonly JsonObject[] };
  return Object.fromEntries(rules.map((rule) => [String(rule["Id"]), rule]));
}

describe("functions", () => {
  const functions = [usual, other].flatMap(({ templates }) =>
    [templates.agent, templates.batches].flatMap((template) => propertiesOf(template, "AWS::Lambda::Function")),
  );
  const named = (name: string): JsonObject =>
    functions.find(({ FunctionName: functionName }) => functionName === name) ?? assert.fail(name);

  test("run on Node 24, and on Arm but for the one with a browser", () => {
    assert.equal(functions.length, 7);
    for (const { FunctionName: name, Runtime: runtime, Architectures: architectures } of functions) {
      assert.equal(runtime, "nodejs24.x");
      assert.deepEqual(architectures, [String(name).endsWith("-browser") ? "x86_64" : "arm64"]);
    }
  });

  test("prepare and finish have the time and the space that large tables need", () => {
    for (const name of ["prepare", "finish"]) {
      const { Timeout: timeout, EphemeralStorage: storage, MemorySize: memory } = named(`batch-processor-prod-${name}`);
      assert.deepEqual([timeout, storage, memory], [900, { Size: 10_240 }, 3008]);
    }
  });

  test("know where everything is", () => {
    assert.deepEqual(named("batch-processor-prod-prepare")["Environment"], {
      Variables: {
        NODE_OPTIONS: "--enable-source-maps",
        RUNS_URI: "s3://batch-processor-prod-123456789012/runs/",
        RECORDINGS_URI: "s3://browser-agent-recordings-prod-123456789012/",
        AGENT_TABLE: "AgentRegistry-prod",
        TEMPLATE_TABLE: "TemplateRegistry-prod",
        AGENT_MACHINE_ARN:
          "arn:aws:states:eu-west-1:123456789012:stateMachine:broadband-availability-bt-wholesale-prod",
        TOPIC_ARN: "arn:aws:sns:eu-west-1:123456789012:batch-processor-notifications-prod",
        WORKER_WAIT_SECONDS: "3600",
      },
    });
  });

  test("without workers nobody waits for one", () => {
    const { Variables: variables } = named("batch-processor-dev-prepare")["Environment"] as unknown as {
      readonly Variables: JsonObject;
    };
    assert.equal(variables["WORKER_WAIT_SECONDS"], "0");
  });

  test("and state machines keep their logs for as long as is said, without data of rows", () => {
    for (const [synthesis, days] of [
      [usual, 30],
      [other, 90],
    ] as const) {
      for (const template of [synthesis.templates.agent, synthesis.templates.batches]) {
        for (const group of resourcesOf(template, "AWS::Logs::LogGroup")) {
          assert.equal(group.Properties["RetentionInDays"], days);
          assert.equal(group.DeletionPolicy, "Delete");
        }
        const [machine] = propertiesOf(template, "AWS::StepFunctions::StateMachine");
        const { Level: level, IncludeExecutionData: data } = (machine?.["LoggingConfiguration"] ?? {}) as JsonObject;
        assert.deepEqual([level, data], ["ALL", false]);
        assert.deepEqual(machine?.["TracingConfiguration"], { Enabled: true });
      }
    }
  });
});

describe("alarms", () => {
  const alarmsOf = ({ templates }: typeof usual): readonly string[] =>
    [templates.agent, templates.batches].flatMap((template) =>
      Object.keys(template.findResources("AWS::CloudWatch::Alarm")).map((id) => id.replace(/[0-9A-F]{8}$/, "")),
    );
  const common = ["FinishErrors", "FinishSlow", "PrepareErrors", "PrepareSlow", "ResolveAgentErrors", "RunsFailed"];

  test("watch runs, attempts, functions, and workers or the browser's function", () => {
    assert.deepEqual(alarmsOf(usual).toSorted(), [...common, "AttemptsFailed", "Backlog", "NoWorker"].toSorted());
    const withBrowser = [...common, "AttemptsFailed", "RunBrowserErrors", "RunBrowserSlow"];
    assert.deepEqual(alarmsOf(other).toSorted(), withBrowser.toSorted());
  });

  test("tell the topic of alarms, and are silent while nothing happens", () => {
    for (const template of [usual.templates.agent, usual.templates.batches]) {
      for (const alarm of propertiesOf(template, "AWS::CloudWatch::Alarm")) {
        assert.deepEqual(alarm["AlarmActions"], ["arn:aws:sns:eu-west-1:123456789012:batch-processor-alarms-prod"]);
        assert.equal(alarm["TreatMissingData"], "notBreaching");
      }
    }
  });

  test("the dashboard's body is JSON once it is resolved", () => {
    for (const { templates } of [usual, other]) {
      const [dashboard] = propertiesOf(templates.batches, "AWS::CloudWatch::Dashboard");
      const { widgets } = JSON.parse(String(dashboard?.["DashboardBody"])) as { readonly widgets: readonly object[] };
      assert.equal(widgets.length, templates === usual.templates ? 9 : 6);
    }
  });
});

describe("outputs", () => {
  const valuesOf = ({ templates }: typeof usual): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Object.values(templates).flatMap((template) =>
        Object.entries(template.findOutputs("*")).map(([id, output]) => {
          const { Value: value } = resolve(template, output) as JsonObject;
          return [id, String(value)];
        }),
      ),
    );
  const values = valuesOf(usual);

  test("are the seven steps with the names that were deployed", () => {
    const bucket = "s3://batch-processor-prod-123456789012";
    assert.match(values["Step1"] ?? "", /^cat > test_addresses\.csv/);
    assert.equal(values["Step2"], `aws s3 cp test_addresses.csv ${bucket}/inputs/test_addresses.csv`);
    const config = JSON.parse(/\n(\{.*\})\n/s.exec(values["Step3"] ?? "")?.[1] ?? "") as JsonObject;
    assert.equal(config["agent_name"], "broadband-availability-bt-wholesale-prod");
    assert.equal(
      config["agent_state_machine_arn"],
      "arn:aws:states:eu-west-1:123456789012:stateMachine:broadband-availability-bt-wholesale-prod",
    );
    assert.match(values["Step5"] ?? "", /stateMachine:batch-processor-prod"/);
    assert.deepEqual(JSON.parse(/--input '(.*)'/.exec(values["Step5"] ?? "")?.[1] ?? ""), {
      config_s3_uri: `${bucket}/configs/broadband_batch_config.json`,
      input_csv_s3_uri: `${bucket}/inputs/test_addresses.csv`,
      output_s3_prefix: `${bucket}/outputs/broadband/`,
    });
    assert.match(values["Step6"] ?? "", /describe-execution --execution-arn "\$execution"$/);
    assert.match(values["Step7"] ?? "", /results\.csv$/);
  });

  test("tell rowcall on another machine where to run batches", () => {
    assert.equal(
      values["RunBatches"],
      "export ROWCALL_ENGINE=aws ROWCALL_STATE_MACHINE_ARN=arn:aws:states:eu-west-1:123456789012:stateMachine:batch-processor-prod " +
        "ROWCALL_RUNS_URI=s3://batch-processor-prod-123456789012/runs/ " +
        "ROWCALL_REGISTRY=dynamodb:AgentRegistry-prod:dynamodb:TemplateRegistry-prod",
    );
  });

  test("name the worker's command and policy only where there are workers", () => {
    const activity = "arn:aws:states:eu-west-1:123456789012:activity:broadband-availability-bt-wholesale-prod";
    assert.equal(values["StartWorker"], `rowcall worker --activity-arn ${activity}`);
    assert.ok(values["WorkerPolicyArn"] !== undefined);
    assert.equal(valuesOf(other)["StartWorker"], undefined);
  });

  test("name the agent by its own name where the stage is not the one of its alias", () => {
    assert.match(valuesOf(other)["Step3"] ?? "", /"agent_name": "broadband-availability-bt-wholesale",/);
  });
});

describe("cdk-nag", () => {
  interface Report {
    readonly pluginReports: readonly {
      readonly pluginName: string;
      readonly conclusion: string;
      readonly violations: readonly object[];
      readonly suppressedViolations: readonly { readonly ruleName: string; readonly reason?: string }[];
    }[];
  }

  for (const synthesis of [usual, other]) {
    test(`finds nothing in ${synthesis.storage.stack.stackName} and the others that has no reason`, async () => {
      const text = await readFile(join(synthesis.folder, "validation-report.json"), "utf8");
      const { pluginReports } = JSON.parse(text) as Report;
      const report = pluginReports.find(({ pluginName }) => pluginName === "AwsSolutions");
      assert.deepEqual([report?.conclusion, report?.violations], ["success", []]);
      const suppressed = report?.suppressedViolations ?? [];
      assert.ok(suppressed.some(({ ruleName }) => ruleName === "AwsSolutions-S1"));
      for (const { ruleName, reason = "" } of suppressed) assert.ok(reason.length > 20, `${ruleName}: "${reason}"`);
    });
  }
});
