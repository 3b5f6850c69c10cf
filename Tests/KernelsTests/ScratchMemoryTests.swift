import Tensors
import Testing

@Suite struct ScratchMemoryTests {
    @Test func memoryIsTakenAgainOnlyWhenNobodySeesIt() {
        let count = 3_000_000  // no other test asks for so much
        var first: FloatView? = FloatBuffer(scratch: count).view
        let second = FloatBuffer(scratch: count)
        first?.fill(1)
        second.view.fill(2)
        #expect(first?[count - 1] == 1 && second.view[0] == 2)
        first = nil
        let third = FloatBuffer(scratch: count)
        #expect(third.view[0] == 1)
        third.view.fill(3)
        #expect(second.view[count - 1] == 2)
    }
}
