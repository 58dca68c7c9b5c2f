import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveValue, stateMachinesOf, type ResolveOptions } from "./cloudformation.ts";

const options: ResolveOptions = { place: { partition: "aws-cn", region: "cn-north-1", account: "123456789012" } };

const template = {
  Parameters: { Stage: { Type: "String", Default: "test" } },
  Resources: {
    Batch: {
      Type: "AWS::StepFunctions::StateMachine",
      Properties: {
        StateMachineName: "batch",
        DefinitionString: {
          "Fn::Join": [
            "",
            [
              '{"StartAt":"Finish","Extra":"${extra}","Resource":"arn:',
              { Ref: "AWS::Partition" },
              ':states:::lambda:invoke","Function":"',
              { "Fn::GetAtt": ["Finish", "Arn"] },
              '"}',
            ],
          ],
        },
        DefinitionSubstitutions: { extra: { Ref: "Rows" } },
      },
    },
    Agent: {
      Type: "AWS::StepFunctions::StateMachine",
      Properties: { Definition: { StartAt: { "Fn::Sub": "${Lookup.Name} of ${Stage}, ${!kept}" } } },
    },
    Lookup: { Type: "AWS::StepFunctions::Activity", Properties: { Name: { "Fn::Sub": "${AWS::Region}-lookup" } } },
    Finish: { Type: "AWS::Lambda::Function" },
    Rows: { Type: "AWS::S3::Bucket" },
    Told: { Type: "AWS::SNS::Topic" },
    Agents: { Type: "AWS::DynamoDB::GlobalTable", Properties: { TableName: "agents" } },
    Work: { Type: "AWS::IAM::Role" },
    Odd: { Type: "AWS::EC2::Instance" },
  },
};

test("gives back every state machine with its definition resolved", () => {
  assert.deepEqual(stateMachinesOf(template, options), [
    {
      logicalId: "Batch",
      name: "batch",
      arn: "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:batch",
      definition: {
        StartAt: "Finish",
        Extra: "Rows",
        Resource: "arn:aws-cn:states:::lambda:invoke",
        Function: "arn:aws-cn:lambda:cn-north-1:123456789012:function:Finish",
      },
    },
    {
      logicalId: "Agent",
      name: "Agent",
      arn: "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:Agent",
      definition: { StartAt: "cn-north-1-lookup of test, ${kept}" },
    },
  ]);
});

for (const [what, value, expected] of [
  ["the ARN of an activity", { Ref: "Lookup" }, "arn:aws-cn:states:cn-north-1:123456789012:activity:cn-north-1-lookup"],
  ["the name of a bucket", { Ref: "Rows" }, "Rows"],
  ["the ARN of a bucket", { "Fn::GetAtt": ["Rows", "Arn"] }, "arn:aws-cn:s3:::Rows"],
  ["the ARN of a topic", { "Fn::GetAtt": "Told.TopicArn" }, "arn:aws-cn:sns:cn-north-1:123456789012:Told"],
  ["the name of a table", { Ref: "Agents" }, "agents"],
  ["the ARN of a role", { "Fn::GetAtt": ["Work", "Arn"] }, "arn:aws-cn:iam::123456789012:role/Work"],
  ["a part of a text", { "Fn::Select": [1, { "Fn::Split": ["-", { Ref: "AWS::Region" }] }] }, "north"],
  ["texts in a list", [{ "Fn::Sub": ["${a}!", { a: { Ref: "Stage" } }] }], ["test!"]],
] as const)
  test(`resolves ${what}`, () => assert.deepEqual(resolveValue(template, value, options), expected));

test("takes names and parameters that are given", () => {
  const own = { ...options, names: { Rows: "rows-1" }, parameters: { Stage: "live" } };
  assert.equal(resolveValue(template, { "Fn::Sub": "${Rows} ${Stage}" }, own), "rows-1 live");
});

for (const [what, value] of [
  ["intrinsic function Fn::ImportValue", { "Fn::ImportValue": "x" }],
  ["resource Nobody", { Ref: "Nobody" }],
  ["resource type AWS::EC2::Instance", { Ref: "Odd" }],
  ["attribute DomainName", { "Fn::GetAtt": ["Rows", "DomainName"] }],
] as const)
  test(`refuses the ${what}`, () =>
    assert.throws(
      () => resolveValue(template, value, options),
      new RegExp(`${what.split(" ").at(-1)}.* is not known here`),
    ));
