from heap_assets_tests.oracles.naming import published_names


def test_names_that_differ_in_case_are_numbered_by_code_point():
    assert published_names(["ip", "IP", "Ip"]) == {"IP": "IP", "Ip": "Ip_2", "ip": "ip_3"}


def test_a_suffix_that_a_delivered_name_has_is_skipped():
    names = published_names(["plan", "Plan", "PLAN_2"])

    assert names == {"PLAN_2": "PLAN_2", "Plan": "Plan", "plan": "plan_3"}


def test_letters_outside_ascii_do_not_clash():
    assert published_names(["É", "é"]) == {"É": "É", "é": "é"}


def test_a_name_that_keeps_its_name_is_not_moved_by_an_earlier_one():
    assert published_names(["Users", "users"], keeping=["users"]) == {"Users": "Users_2", "users": "users"}


def test_a_name_to_keep_that_is_not_delivered_moves_nothing():
    assert published_names(["Users"], keeping=["users"]) == {"Users": "Users"}


def test_a_name_of_ours_moves_every_delivered_one():
    names = published_names(["ALL_events", "all_events", "all_events_2"], ours=["all_events"])

    assert names == {"ALL_events": "ALL_events_3", "all_events": "all_events_4", "all_events_2": "all_events_2"}
