import Testing

@testable import Coordination

@Suite struct AgreementTests {
    @Test func `equal values agree, also of one worker alone`() {
        #expect(Agreement([7]) == .all)
        #expect(Agreement([7, 7, 7]) == .all)
        #expect(Agreement([]) == .all)
    }

    @Test func `whoever differs from more than half of all is named`() {
        #expect(Agreement([7, 8, 7]) == .minority([1]))
        #expect(Agreement([9, 7, 7, 8, 7]) == .minority([0, 3]))
    }

    @Test func `half is no majority`() {
        #expect(Agreement([7, 8]) == .none)
        #expect(Agreement([7, 7, 8, 8]) == .none)
        #expect(Agreement([7, 8, 9]) == .none)
        #expect(Agreement([7, 7, 8, 9]) == .none)
    }
}
