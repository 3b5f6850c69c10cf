import Testing

@testable import TextData

/// Lists as programs print them into one field.
@Suite struct ListLiteralTests {
    @Test(arguments: [
        ("['toxic', 'obscene']", ["toxic", "obscene"]),
        (#"["it's", "a, b"]"#, ["it's", "a, b"]),
        (#"["it's", 'say \'no\'']"#, ["it's", "say 'no'"]),
        ("['a' 'b'\n 'c']", ["a", "b", "c"]),
        ("[]", []),
        ("[ ]", []),
        (" ['a',] ", ["a"]),
        ("('a', 'b')", ["a", "b"]),
        ("[1, 0, 0]", ["1", "0", "0"]),
        ("[1 0\n 0]", ["1", "0", "0"]),
        ("[1. 0.5 -3e-4]", ["1.", "0.5", "-3e-4"]),
        ("array([0.2, 1.5])", ["0.2", "1.5"]),
        ("array(['a', 'b'], dtype=object)", ["a", "b"]),
        ("tensor([0, 0, 1])", ["0", "0", "1"]),
        ("tensor([1., 0.], device='cuda:0')", ["1.", "0."]),
        ("[np.float64(0.5), np.int64(2)]", ["0.5", "2"]),
        ("[np.str_('a'), np.str_('b')]", ["a", "b"]),
        ("[True, False]", ["True", "False"]),
        ("[New York, Paris]", ["New York", "Paris"]),
        ("[New York]", ["New York"]),
        ("[é, 中国]", ["é", "中国"]),
        ("{'a', 'b: c'}", ["a", "b: c"]),
        ("{a,b}", ["a", "b"]),
        ("{}", []),
        ("set()", []), ("frozenset()", []), ("()", []), ("frozenset({'a', 'b'})", ["a", "b"]),
        ("list(['a', 'b'])", ["a", "b"]), ("Index(['a'], dtype='object')", ["a"]), ("dict_keys(['a'])", ["a"]),
        ("np.array([1, 0])", ["1", "0"]), ("tuple(('a', 'b'))", ["a", "b"]), ("(1, 0, 0)", ["1", "0", "0"]),
        ("(0.5,)", ["0.5"]), ("(True, False)", ["True", "False"]),
    ])
    func `lists of several programs`(text: String, elements: [String]) {
        #expect(ListLiteral(text)?.elements == elements)
    }

    @Test(arguments: [
        "", "toxic", "[", "]", "(a, b)", "(1)", "f(x)", "list('ab')", "(1, b)", "list()x",
        "[1, [2]]", "['a", "[1 ... 0]", "['a', None]", "[nan, 1]", "['a' 'b]",
        "{'a': 1}", "{a:1}", "{\"a\": \"b\"}", "[a, , b]",
        "[np.str_('a']",
    ])
    func `what is not a whole list is none`(text: String) { #expect(ListLiteral(text) == nil) }
}
