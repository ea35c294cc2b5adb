"""Every method of both clients of PyGorse, unchanged, against a running service: check.py URL [KEY].

The service's model must know at least 30 items. Users and items that this adds have ids that begin with pygorse-."""

import asyncio
import datetime
import inspect
import sys

from gorse import AsyncGorse, Gorse, GorseException

ZERO = "0001-01-01T00:00:00Z"


class Recorded:
    """A client whose methods block, and which notes those that were called."""

    def __init__(self, client):
        self.client, self.called = client, set()

    def __getattr__(self, name):
        method = getattr(self.client, name)
        self.called.add(name)

        def call(*arguments, **options):
            result = method(*arguments, **options)
            return asyncio.run(result) if inspect.isawaitable(result) else result

        return call


def equal(found, expected):
    if found != expected:
        raise AssertionError(f"{found!r} instead of {expected!r}")


def refused(status, call, *arguments, **options):
    try:
        found = call(*arguments, **options)
    except GorseException as error:
        equal(error.status_code, status)
        if not error.message or error.message.startswith("{"):
            raise AssertionError(f"no sentence: {error.message!r}")
        return
    raise AssertionError(f"{found!r} instead of a refusal with {status}")


def pages(get, n):
    """All rows of a list, in pages of n."""
    rows, cursor = [], ""
    while True:
        page, cursor = get(n, cursor) if cursor else get(n)
        assert len(page) <= n
        rows += page
        if not cursor:
            return rows


def check_users(client, name):
    user = {"UserId": f"{name}-user", "Labels": {"gender": "M", "age": 24}, "Comment": "my user"}
    equal(client.insert_user(user), {"RowAffected": 1})
    equal(client.get_user(user["UserId"]), user)
    more = [{"UserId": f"{name}-user-{i}", "Labels": ["a", "b"], "Comment": ""} for i in range(5)]
    equal(client.insert_users(more), {"RowAffected": 5})
    equal(client.insert_users([]), {"RowAffected": 0})
    own = [each for each in pages(client.get_users, 2) if each["UserId"].startswith(f"{name}-user")]
    equal(own, [user] + more)
    equal(client.insert_user({"UserId": user["UserId"]}), {"RowAffected": 1})
    equal(client.get_user(user["UserId"]), {"UserId": user["UserId"], "Labels": None, "Comment": ""})
    for each in own:
        equal(client.delete_user(each["UserId"]), {"RowAffected": 1})
        refused(404, client.get_user, each["UserId"])
    refused(400, client.insert_user, {"Labels": []})
    refused(400, client.get_users, 0)
    refused(400, client.get_users, 5, "no cursor")


def check_items(client, name):
    item = {"ItemId": f"{name}:vue", "IsHidden": False, "Labels": {"language": "JavaScript"}, "Categories": ["framework"],
            "Timestamp": "2022-02-24T00:00:00Z", "Comment": f"The {name} framework é"}
    equal(client.insert_item(item), {"RowAffected": 1})
    equal(client.get_item(item["ItemId"]), item)
    equal([each["ItemId"] for each in client.search_items(f"THE {name.upper()} FRAMEWORK", n=3)], [item["ItemId"]])
    equal(client.update_item(item["ItemId"]), {"RowAffected": 1})
    equal(client.get_item(item["ItemId"]), item)
    equal(client.update_item(item["ItemId"], is_hidden=True, categories=[], labels=["x"], timestamp="2023-01-02 03:04:05.678",
                             comment="new"), {"RowAffected": 1})
    item.update(IsHidden=True, Categories=[], Labels=["x"], Timestamp="2023-01-02T03:04:05.678Z", Comment="new")
    equal(client.get_item(item["ItemId"]), item)
    bare = f"{name}:bare"
    equal(client.insert_item({"ItemId": bare, "Timestamp": "2022-02-24"}), {"RowAffected": 1})
    equal(client.get_item(bare)["Timestamp"], "2022-02-24T00:00:00Z")
    equal(client.insert_item({"ItemId": bare}), {"RowAffected": 1})
    equal(client.get_item(bare), {"ItemId": bare, "IsHidden": False, "Labels": None, "Categories": [], "Timestamp": ZERO, "Comment": ""})
    listed = pages(client.get_items, 7)
    equal([each for each in listed if each["ItemId"].startswith(f"{name}:")], [client.get_item(bare), item])
    equal(len(listed), len({each["ItemId"] for each in listed}))
    for each in [item["ItemId"], bare]:
        equal(client.delete_item(each), {"RowAffected": 1})
        refused(404, client.get_item, each)
    equal([each for each in pages(client.get_items, 1000) if each["ItemId"].startswith(f"{name}:")], [])
    refused(400, client.insert_item, {"ItemId": "x", "Timestamp": "yesterday"})


def feedback(kind, user, item, time, value=0):
    return {"FeedbackType": kind, "UserId": user, "ItemId": item, "Value": value, "Timestamp": time, "Updated": ZERO, "Comment": ""}


def check_feedback(client, name, items):
    user, (a, b, c) = f"{name}-reader", items[:3]
    equal(client.insert_feedback("star", user, a, "2022-02-24T01:02:03.123456789Z"), {"RowAffected": 1})
    equal(client.insert_feedback("star", user, a, "2022-02-24T02:02:03.123456+01:00"), {"RowAffected": 1})  # the same again
    equal(client.insert_feedbacks([
        {"FeedbackType": "read", "UserId": user, "ItemId": b, "Timestamp": "2022-02-25"},
        {"FeedbackType": "read", "UserId": user, "ItemId": c, "Timestamp": "2022-02-25T00:00:00", "Value": 2.5, "Unknown": {}},
        {"FeedbackType": "read", "UserId": user, "ItemId": b, "Timestamp": "2022-02-26T00:00:00Z"},
    ]), {"RowAffected": 3})
    equal(client.insert_feedbacks([]), {"RowAffected": 0})
    equal(client.list_feedbacks("star", user), [feedback("star", user, a, "2022-02-24T01:02:03.123456Z")])
    read = [feedback("read", user, b, "2022-02-25T00:00:00Z"), feedback("read", user, c, "2022-02-25T00:00:00Z", 2.5),
            feedback("read", user, b, "2022-02-26T00:00:00Z")]
    equal(client.list_feedbacks("read", user), read)
    equal([each for each in pages(client.get_feedbacks, 2) if each["UserId"] == user],
          [feedback("star", user, a, "2022-02-24T01:02:03.123456Z")] + read)
    # Another value of the same feedback.
    equal(client.insert_feedbacks([{**read[1], "Value": 3.0}]), {"RowAffected": 1})
    equal(client.list_feedbacks("read", user)[1]["Value"], 3.0)
    equal(client.delete_feedback(user, b), {"RowAffected": 2})
    equal(client.delete_feedback(user, b), {"RowAffected": 0})
    equal([each["ItemId"] for each in client.list_feedbacks("read", user)], [c])
    # Without a time: now, once.
    for _ in range(2):
        client.insert_feedbacks([{"FeedbackType": "like", "UserId": user, "ItemId": a, "Timestamp": ""}])
    times = [each["Timestamp"] for each in client.list_feedbacks("like", user)]
    equal((len(times), times[0][:2]), (1, "20"))
    equal(client.get_user(user), {"UserId": user, "Labels": None, "Comment": ""})
    equal(client.delete_user(user), {"RowAffected": 1})
    equal(client.list_feedbacks("read", user), [])
    refused(400, client.insert_feedback, "star", user, a, "2999-01-01")
    refused(400, client.insert_feedbacks, [{"FeedbackType": "star", "UserId": user, "Timestamp": ""}])
    equal(client.list_feedbacks("star", user), [])


def check_recommendations(client, name, items):
    user = f"{name}-shopper"
    ids = lambda scores: [score.id for score in scores]
    equal(len(client.get_recommend(f"{name}-nobody", n=4)), 4)
    client.insert_feedbacks([{"FeedbackType": "star", "UserId": user, "ItemId": each, "Timestamp": f"2022-02-2{i}"}
                             for i, each in enumerate(items[:3])])
    ten = client.get_recommend(user)
    equal((len(ten), len(set(ids(ten)) & set(items[:3]))), (10, 0))
    assert all(isinstance(score.score, float) for score in ten)
    equal([score.score for score in ten], sorted((score.score for score in ten), reverse=True))
    equal(ids(client.get_recommend(user, n=4, offset=3)), ids(ten)[3:7])
    equal(client.get_recommend(user, n=3, offset=10_000), [])
    refused(400, client.get_recommend, user, n=-1)

    chosen = ids(ten)[2:4]
    for each in chosen:
        client.update_item(each, categories=[f"{name} category"])
    equal(ids(client.get_recommend(user, category=f"{name} category")), chosen)
    equal(client.get_recommend(user, category="no such category"), [])
    client.delete_item(chosen[0])
    equal(ids(client.get_recommend(user, category=f"{name} category")), chosen[1:])
    assert chosen[0] not in ids(client.get_recommend(user, n=1000))
    client.insert_item({"ItemId": chosen[0]})
    client.update_item(chosen[1], categories=[])
    equal(ids(client.get_recommend(user)), ids(ten))

    equal(ids(client.get_recommend(user, n=3, write_back_type="read")), ids(ten)[:3])
    written = client.list_feedbacks("read", user)
    equal([each["ItemId"] for each in written], ids(ten)[:3])
    second = client.get_recommend(user, n=3, write_back_type="shown", write_back_delay="1h")
    equal(set(ids(second)) & set(ids(ten)[:3]), set())
    time = datetime.datetime.fromisoformat(client.list_feedbacks("shown", user)[0]["Timestamp"].replace("Z", "+00:00"))
    ahead = (time - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    assert 500 < ahead <= 600, ahead
    refused(400, client.get_recommend, user, write_back_type="read", write_back_delay="soon")

    session = [{"FeedbackType": "like", "UserId": "0", "ItemId": each, "Timestamp": datetime.datetime(2010 - i, 1, 1).isoformat()}
               for i, each in enumerate(items[:4])]
    found = client.session_recommend(session, 3)
    equal([sorted(each) for each in found], [["Id", "Score"]] * 3)
    equal(client.session_recommend(session[::-1], 3), found)  # by time, not by place
    assert not {each["Id"] for each in found} & set(items[:4])
    equal(len(client.session_recommend([], 5)), 5)
    refused(501, client.get_neighbors, items[0])
    client.delete_user(user)


def check(client, name, methods):
    client = Recorded(client)
    items = [each["ItemId"] for each in client.get_items(30)[0]]
    check_users(client, name)
    check_items(client, name)
    check_feedback(client, name, items)
    check_recommendations(client, name, items)
    equal({each for each in methods if not each.startswith("_")} - client.called, set())


def main(url, key=""):
    check(Gorse(url, key, timeout=60), "pygorse-sync", vars(Gorse))
    check(AsyncGorse(url, key), "pygorse-async", vars(AsyncGorse))
    print("gorse: every method of both clients of PyGorse works")


if __name__ == "__main__":
    main(*sys.argv[1:])
