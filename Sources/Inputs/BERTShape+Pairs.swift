internal import BERT
package import Wording

extension BERTShape {
    /// Refuses pairs of texts if the model cannot distinguish the second text from the first.
    package func checkPairs(model: String) throws(InputError) {
        guard types < 2 else { return }
        throw InputError(
            "\(model): has \(types) token type, pairs of texts need 2: choose another model, or name a single "
                + "--text-column"
        )
    }
}
