"""Python's http.client: one connection, kept. Arguments as those of common.lua."""
import http.client
import json
import ssl
import sys

ORIGIN, CA, WARM, COUNT = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
SCHEME, PLACE = ORIGIN.split("://")
IDS = ["550e8400-e29b-41d4-a716-446655440000", "ros-sd-20260313-a3f8c2b1", "65ea1530bb50af72b6e3dc1e",
       "91a264dcc447b63da6fb79ef925cd76d"]
REQUESTS = [
    ("POST", "/serve/api/v2/stream/stop", "sk-mavi-bench-0123456789abcdef", lambda: json.dumps({"task_id": IDS[0]})),
    ("DELETE", "/serve/api/v2/screenplay/tasks/" + IDS[1], "sk-mavi-bench-0123456789abcdef", None),
    ("POST", "/v1/sessions/" + IDS[2] + "/stop", "Bearer emogg-bench-0123456789abcdef", lambda: ""),
    ("PUT", "/v1/live/streams/" + IDS[3] + "/finish",
     "Basic ZmFzdHBpeC1iZW5jaDpmYXN0cGl4LWJlbmNoLTAxMjM0NTY3ODlhYmNkZWY=", lambda: ""),
]
CHECKS = [
    lambda a: a["code"] == 200 and a["data"]["task_id"] == IDS[0],
    lambda a: a["success"] and a["data"]["status"] == "cancelled",
    lambda a: a["_id"] == IDS[2] and a["state"] == "active",
    lambda a: a["success"],
]

if SCHEME == "https":
    context = ssl.create_default_context(cafile=None if CA == "-" else CA)
    connection = http.client.HTTPSConnection(PLACE, context=context)
else:
    connection = http.client.HTTPConnection(PLACE)

for count in (WARM, COUNT):
    for i in range(count):
        method, path, authorization, body = REQUESTS[i % 4]
        headers = {"Authorization": authorization}
        text = body() if body else None
        if text:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, text, headers)
        answer = connection.getresponse()
        assert answer.status == 200 and CHECKS[i % 4](json.loads(answer.read()))
