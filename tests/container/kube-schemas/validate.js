// SPDX-License-Identifier: MIT
// validate.js MODULES - hold the objects of a JSON array on standard input against the schemas of the Kubernetes API
//
// Prints an array of { object, path, problem }, empty when all is well. The validators of the package pass over
// fields that they do not know, so each object is shown to them through a proxy that notes what they look at: a
// field that nobody looks at is a field that the API does not have.
"use strict";
const path = require("node:path");
const modules = path.resolve(process.argv[2]);

/* "apps/v1", "StatefulSet" to the validator of its schema, which the module of the kind names; or undefined */
function validatorOf(apiVersion, kind) {
  const models = path.join(modules, "kubernetes-models");
  let module;
  try {
    module = require(path.join(models, apiVersion, kind));
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
  const schema = Object.keys(module).find((name) => name !== kind);
  return require(path.join(models, "_schemas", schema)).validate;
}

/* A view of data; every property that is read through it is added to seen, a map of objects to sets of names. */
function watched(data, seen) {
  if (data === null || typeof data !== "object") return data;
  if (!seen.has(data)) seen.set(data, new Set());
  return new Proxy(data, {
    get(target, name) {
      seen.get(target).add(name);
      return watched(target[name], seen);
    },
  });
}

/* Where in data is what was not looked at */
function unseen(data, seen, at) {
  if (data === null || typeof data !== "object") return [];
  return Object.keys(data).flatMap((name) => {
    const here = `${at}/${name}`;
    if (!Array.isArray(data) && !seen.get(data)?.has(name)) return [here];
    return unseen(data[name], seen, here);
  });
}

function problemsOf(object) {
  const name = `${object.kind}/${object.metadata?.name}`;
  const validate = validatorOf(String(object.apiVersion), String(object.kind));
  if (!validate) return [{ object: name, path: "/", problem: "the API has no such kind" }];
  const seen = new Map();
  validate(watched(object, seen));
  const wrong = (validate.errors ?? []).map((error) => ({
    object: name, path: error.instancePath, problem: `${error.keyword}: ${JSON.stringify(error.params)}`,
  }));
  const unknown = unseen(object, seen, "").map((where) => ({
    object: name, path: where, problem: "the API has no such field",
  }));
  return [...wrong, ...unknown];
}

let text = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (part) => { text += part; });
process.stdin.on("end", () => {
  process.stdout.write(`${JSON.stringify(JSON.parse(text).flatMap(problemsOf), null, 1)}\n`);
});
