from surveys.templatetags.plain import plain_to_see


def test_what_would_hide_or_mislead_is_marked_and_the_rest_is_left():
    assert plain_to_see("gnp.\u202egpj\x1b\u200b") == "gnp.[U+202E]gpj[U+001B][U+200B]"
    sound = "Zoë\r\n\tمی\u200cخواهم 👩\u200d👧 \u200fשלום"  # joiners and marks that scripts need
    assert plain_to_see(sound) == sound
