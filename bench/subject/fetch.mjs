// Node's fetch, one call after another. Arguments as those of common.lua; the trusted root is in NODE_EXTRA_CA_CERTS.
const [, , , origin, , warm, count] = process.argv;
const ids = ["550e8400-e29b-41d4-a716-446655440000", "ros-sd-20260313-a3f8c2b1", "65ea1530bb50af72b6e3dc1e",
  "91a264dcc447b63da6fb79ef925cd76d"];
const requests = [
  ["POST", "/serve/api/v2/stream/stop", "sk-mavi-bench-0123456789abcdef", () => JSON.stringify({ task_id: ids[0] })],
  ["DELETE", "/serve/api/v2/screenplay/tasks/" + ids[1], "sk-mavi-bench-0123456789abcdef", null],
  ["POST", "/v1/sessions/" + ids[2] + "/stop", "Bearer emogg-bench-0123456789abcdef", () => ""],
  ["PUT", "/v1/live/streams/" + ids[3] + "/finish",
    "Basic ZmFzdHBpeC1iZW5jaDpmYXN0cGl4LWJlbmNoLTAxMjM0NTY3ODlhYmNkZWY=", () => ""],
];
const checks = [
  (a) => a.code === 200 && a.data.task_id === ids[0],
  (a) => a.success && a.data.status === "cancelled",
  (a) => a._id === ids[2] && a.state === "active",
  (a) => a.success,
];

for (const calls of [Number(warm), Number(count)]) {
  for (let i = 0; i < calls; i++) {
    const [method, path, authorization, body] = requests[i % 4];
    const headers = { Authorization: authorization };
    const text = body ? body() : undefined;
    if (text) headers["Content-Type"] = "application/json";
    const answer = await fetch(origin + path, { method, headers, body: text });
    if (answer.status !== 200 || !checks[i % 4](await answer.json())) throw new Error("no success");
  }
}
